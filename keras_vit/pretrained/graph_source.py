"""Any trained Keras model of images as a source: its graph, with another head, size or precision."""

from typing import Any, NamedTuple

import keras

from keras_vit.errors import InputError
from keras_vit.keras_internals import all_layers, is_graph, run_graph, source_inputs, source_of
from keras_vit.layers import DropPath, GridAttention, PatchEmbedding, PositionEmbedding, TransformerEncoder
from keras_vit.pairs import as_pair

AFTER_HEAD = (  # layers that turn what a head returns into a model's output
    keras.layers.Activation,
    keras.layers.Average,
    keras.layers.Rescaling,
    keras.layers.Softmax,
)
_OF_GRID = (GridAttention, PatchEmbedding, PositionEmbedding, TransformerEncoder)
_BY_SHAPE = (keras.layers.Flatten, keras.layers.Reshape)
_RATES = {"dropout_rate": keras.layers.Dropout, "drop_path_rate": DropPath}


class Ending(NamedTuple):
    """The last layers of a model."""

    heads: list[keras.layers.Dense]
    after: list[keras.layers.Layer]  # of `AFTER_HEAD`


def ending(model: keras.Model) -> Ending:
    """Finds the dense layers that compute a model's outputs, also inside of a nested model.

    Raises:
        InputError: the outputs come from another layer.
    """
    found = Ending([], [])
    for output in model.outputs:
        _walk(output, found, model)
    return found


def _walk(tensor, found, model):
    operation, index = source_of(tensor)
    if isinstance(operation, keras.Model) and is_graph(operation):
        _walk(operation.outputs[index], found, model)
    elif isinstance(operation, keras.layers.Dense):
        found.heads.extend([operation] if operation not in found.heads else [])
    elif isinstance(operation, AFTER_HEAD):
        found.after.append(operation)
        for each in source_inputs(tensor):
            _walk(each, found, model)
    else:
        raise InputError(
            f"Expected a model that ends in a dense layer, its head; {model.name!r} ends in "
            f"{operation.name!r}, {type(operation).__name__}."
        )


def adapted(
    model: keras.Model,
    num_classes: int | None = None,
    image_size: int | tuple[int, int] | None = None,
    *,
    new_head: bool = False,
    **arguments: Any,
) -> keras.Model:
    """Returns a new model with the layers and weights of a trained one, and with another head.

    Nested models become one graph. With a new head what follows the old one, such as a softmax, is left out.

    Args:
        model: keras.Model, functional or built Sequential, from images to one row for each.
        num_classes, image_size, new_head: as in `keras_vit.pretrained.load`.
        arguments: `seed` of a new head, `dtype` of all layers but heads, what follows them, and those that
            no training changes; `dropout_rate` and `drop_path_rate` of the layers that the model has.

    Raises:
        InputError: a model of other inputs or outputs, arguments that its layers decide, or an image size
            that does not fit its weights.
    """
    _check_graph(model)
    if unknown := sorted(arguments.keys() - {"seed", "dtype", *_RATES}):
        raise InputError(f"The layers of {model.name!r} decide {', '.join(unknown)}. Leave it out.")
    _check_rates(model, arguments)
    size = as_pair(model.input_shape[1:3] if image_size is None else image_size, "image_size")
    _check_size(model, size)
    end = Ending([], [])
    if new_head or num_classes is not None or "dtype" in arguments:
        end = ending(model)
    units = model.output_shape[-1] if num_classes is None else num_classes
    copies = _Copies(arguments, end, units if new_head or units != model.output_shape[-1] else None)
    images = keras.Input((*size, model.input_shape[-1]), name=model.inputs[0].name)
    try:
        outputs = keras.tree.flatten(run_graph(model, images, copies.of))[0]
    except ValueError as error:  # of a Reshape, or a pooling of too few pixels
        raise InputError(f"{model.name!r} accepts no images of {size[0]} x {size[1]}: {error}") from error
    clone = keras.Model(images, outputs, name=model.name)
    copies.take_weights(model, size)
    return clone


class _Copies:
    """Makes one new layer for each layer of a model, with a name of its own."""

    def __init__(self, arguments, end, new_units):
        self.arguments, self.end = arguments, end
        self.new_units = new_units  # of the heads; 0: no heads; None: they stay
        self.made, self.names = {}, {}

    def of(self, operation):
        """Returns what is called in place of an operation."""
        if isinstance(operation, keras.Model) and is_graph(operation):
            return lambda inputs, **_: run_graph(operation, inputs, self.of)
        if not isinstance(operation, keras.layers.Layer):
            return operation
        if self.new_units is not None and self._ends_with(operation):
            return lambda inputs, **_: inputs
        if operation not in self.made:
            self.made[operation] = self._copy(operation)
        return self.made[operation]

    def _ends_with(self, layer):
        """Whether a layer goes with the old head: what follows it, but for a mean of several heads."""
        if layer in self.end.after:
            return not isinstance(layer, keras.layers.Average)
        return layer in self.end.heads and self.new_units == 0

    def _copy(self, layer):
        config = {**layer.get_config(), "name": self._name(layer.name)}
        for argument, kind in _RATES.items():
            if argument in self.arguments and type(layer) is kind:
                config["rate"] = self.arguments[argument]
        if layer in self.end.heads and self.new_units:
            config |= {"units": self.new_units, "activation": None}
            initializer = config["kernel_initializer"]
            if "seed" in initializer.get("config", {}):
                initializer["config"]["seed"] = self.arguments.get("seed")
        dtype = self.arguments.get("dtype")
        is_fixed = layer in (*self.end.heads, *self.end.after) or (layer.weights and not layer.trainable)
        return type(layer).from_config(config if dtype is None or is_fixed else _with_dtype(config, dtype))

    def _name(self, name):
        """The layer's name, or, where a nested model has a layer of that name too, that with a number."""
        count = self.names[name] = self.names.get(name, 0) + 1
        return name if count == 1 else self._name(f"{name}_{count}")

    def take_weights(self, model, size):
        for old, new in self.made.items():
            if old in self.end.heads and self.new_units is not None:
                continue
            _check_shapes(old, new, model, size)
            for source, weight in zip(old.weights, new.weights, strict=True):
                weight.assign(source)


def _check_graph(model):
    if not is_graph(model):
        raise InputError(
            f"Expected a functional or Sequential model, whose layers can be copied; {model.name!r} is a "
            f"{type(model).__name__} with a call of its own."
        )
    shapes = [tuple(tensor.shape) for tensor in (*model.inputs, *model.outputs)]
    if [len(shape) for shape in shapes] != [4, 2] or None in shapes[0][1:]:
        raise InputError(
            "Expected a model from (batch, height, width, channels), all but the batch known, to one output "
            f"(batch, values); {model.name!r} has {', '.join(map(str, shapes))}."
        )


def _check_rates(model, arguments):
    for argument, kind in _RATES.items():
        if argument in arguments and not any(type(layer) is kind for layer in all_layers(model)):
            raise InputError(
                f"{model.name!r} has no {kind.__name__} layer whose rate {argument}={arguments[argument]} "
                f"could be. Leave out {argument}."
            )


def _check_size(model, size):
    own = tuple(model.input_shape[1:3])
    if size != own and (layer := next((x for x in all_layers(model) if isinstance(x, _OF_GRID)), None)):
        raise InputError(
            f"The weights of {layer.name!r} in {model.name!r} are for images of {own[0]} x {own[1]}; "
            f"received {size[0]} x {size[1]}. Leave out image_size."
        )


def _check_shapes(old, new, model, size):
    changed = [
        f"{a.path!r} has the shape {tuple(a.shape)}, and {tuple(b.shape)}"
        for a, b in zip(old.weights, new.weights, strict=True)
        if tuple(a.shape) != tuple(b.shape)
    ]
    if isinstance(old, _BY_SHAPE) and old.input.shape != new.input.shape:  # also 8 x 4 for 4 x 8
        changed.append(
            f"{old.name!r} has inputs of the shape {tuple(old.input.shape)}, and {new.input.shape}"
        )
    if changed:
        raise InputError(
            f"Expected weights that fit any image size; in {model.name!r} {changed[0]} for images of "
            f"{size[0]} x {size[1]}. Leave out image_size, or train a model that pools instead of flattening."
        )


def _with_dtype(config, dtype):
    """Returns a layer's configuration with another policy, also of the layers inside."""
    policy = keras.dtype_policies.serialize(keras.dtype_policies.get(dtype))
    if isinstance(config, dict):
        return {name: policy if name == "dtype" else _with_dtype(v, dtype) for name, v in config.items()}
    return [_with_dtype(value, dtype) for value in config] if isinstance(config, list) else config
