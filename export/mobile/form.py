"""Walks through a model and writes each of its layers anew."""

import functools

import keras

from keras_vit.export.inference_model import in_float32
from keras_vit.export.mobile.encoder_output import EncoderOutput
from keras_vit.export.mobile.pending import plain
from keras_vit.export.mobile.registry import rewriter
from keras_vit.export.rollout import rollout
from keras_vit.models import num_prefix_tokens
from keras_vit.models.rollout import map_grid, rollout_start


class MobileForm:
    """A model's function from images to outputs, in the operators that suit a phone.

    Made by `mobile_form`. Weights are constants, but for layers that are called as they are.

    Attributes:
        name: str, the model's.
        input_shape: `(batch, height, width, channels)`, all of them ints.
        output_shape: `(batch, num_classes)`.
        as_they_are: tuple of str, `name (Type)` of the layers that no function here writes anew.
        variables: list of the Keras variables of those.
        map_shape: `(rows, columns)` of the attention that `with_attention` gives, or None.
    """

    def __init__(self, model, batch_size, attention=False):
        self.model = model
        self.name = model.name
        self.input_shape = (batch_size, *model.input_shape[1:])
        self.output_shape = (batch_size, *model.output_shape[1:])
        unknown = [layer for layer in _leaves(model) if rewriter(layer) is None]
        self.as_they_are = tuple(f"{layer.name} ({type(layer).__name__})" for layer in unknown)
        self.variables = model.variables
        self.map_shape = map_grid(model) if attention else None

    def __call__(self, images):
        """Returns the outputs for float32 images of any fixed batch size."""
        return plain(_walk(self.model, images, []))

    def with_attention(self, images):
        """Returns the outputs, and the attention rollout `(batch, rows, columns)`."""
        encoders = []
        outputs = plain(_walk(self.model, images, encoders))
        prefix, start = num_prefix_tokens(self.model), rollout_start(self.model)
        return outputs, rollout(encoders[-1].scores, prefix, start, self.map_shape)


def mobile_form(model, batch_size=1, attention=False):
    """Returns the form of a trained model that runs fastest on a phone.

    The function is the same, in float32; on logits the two differ by float32 rounding only (1e-5 of the
    largest logit). A layer that this package does not know is called as it is, and named in the result's
    `as_they_are`.

    Args:
        model: functional or Sequential `keras.Model` from one image of fixed size, in any precision.
        batch_size: int, how many images the file takes at once.
        attention: bool, the file is to give the attention rollout too.

    Returns:
        MobileForm.

    Raises:
        InputError: attention of a model that has none.
    """
    return MobileForm(in_float32(model), batch_size, attention)


def _leaves(model):
    for layer in model.layers:
        if _is_graph(layer):
            yield from _leaves(layer)
        elif not isinstance(layer, keras.layers.InputLayer):
            yield layer


def _is_graph(layer):
    """Whether it is a functional or Sequential model, whose layers can be walked through."""
    return isinstance(layer, keras.Sequential) or hasattr(layer, "_run_through_graph")


def _walk(model, x, encoders):
    """Runs a functional or Sequential model with each operation written anew; gathers `EncoderOutput`s."""
    graph = model._functional if isinstance(model, keras.Sequential) else model
    # What keras.models.clone_model goes through a graph with; values may be of any type.
    return graph._run_through_graph(
        x, operation_fn=lambda operation: functools.partial(_call, operation, encoders)
    )


def _call(operation, encoders, *inputs, **options):
    if _is_graph(operation):
        return _walk(operation, *inputs, encoders)
    rewrite = rewriter(operation)
    if rewrite and len(inputs) == 1 and not _told_more(options):
        result = rewrite(operation, *inputs)
        if isinstance(result, EncoderOutput):
            encoders.append(result)
        if result is not NotImplemented:
            return result
    inputs, options = keras.tree.map_structure(plain, (inputs, options))
    if isinstance(operation, keras.layers.Layer) and operation._call_has_training_arg:
        options["training"] = False
    return operation(*inputs, **options)


def _told_more(options):
    """Whether a call has arguments, such as a mask, of which the functions here do not know."""
    given = [value for name, value in options.items() if name != "training"]
    return any(value is not None and value is not False for value in given)
