"""Walks through a model's graph and converts each layer by its handler."""

import functools
import warnings

import keras

from keras_vit.errors import Notice
from keras_vit.export.images.inference_model import in_float32
from keras_vit.export.images.rollout import rollout
from keras_vit.export.mobile.pending import EncoderOutput, materialize
from keras_vit.export.mobile.registry import handler
from keras_vit.keras_internals import is_graph, run_graph, takes_training
from keras_vit.models.rollout import map_grid

OURS = "keras_vit.layers."  # the modules of layers that all have a mobile form, though not for all options


class MobileForm:
    """A model's function from images to outputs, in operators that run fast on a phone.

    Made by `mobile_form`. Weights are constants, except in layers that are called as is, which
    `unconverted` lists. `map_shape` is that of the attention that `with_attention` returns, or None.
    """

    def __init__(self, model, batch_size, attention=False):
        self.model = model
        self.name = model.name
        self.input_shape = (batch_size, *model.input_shape[1:])
        self.output_shape = (batch_size, *model.output_shape[1:])
        unconverted = [layer for layer in _leaves(model) if handler(layer) is None]
        self.unconverted = tuple(map(_named, unconverted))
        if ours := [_named(layer) for layer in unconverted if type(layer).__module__.startswith(OURS)]:
            message = f"Exported as is, right but slower on a phone: {', '.join(ours)}."
            warnings.warn(message, Notice, stacklevel=3)
        self.variables = model.variables
        self.map_shape = map_grid(model) if attention else None

    def __call__(self, images):
        """Returns the outputs for float32 images of any fixed batch size."""
        return materialize(_walk(self.model, images, []))

    def with_attention(self, images):
        """Returns the outputs, and the attention rollout `(batch, rows, columns)`."""
        encoders = []
        outputs = materialize(_walk(self.model, images, encoders))
        return outputs, rollout(self.model, encoders[-1].scores)


def mobile_form(model: keras.Model, batch_size: int = 1, attention: bool = False) -> MobileForm:
    """Returns the form of a trained model that runs fastest on a phone.

    It computes the same function in float32; on logits the two differ by float32 rounding only (1e-5 of the
    largest logit). The model, functional or Sequential, may have any precision; attention of a model that has
    none is an InputError.
    """
    return MobileForm(in_float32(model), batch_size, attention)


def _named(layer):
    return f"{layer.name} ({type(layer).__name__})"


def _leaves(model):
    for layer in model.layers:
        if is_graph(layer):
            yield from _leaves(layer)
        elif not isinstance(layer, keras.layers.InputLayer):
            yield layer


def _walk(model, x, encoders):
    """Runs the graph of a model with converted operations; appends each `EncoderOutput` to `encoders`."""
    return run_graph(model, x, lambda operation: functools.partial(_call, operation, encoders))


def _call(operation, encoders, *inputs, **options):
    if is_graph(operation):
        return _walk(operation, *inputs, encoders)
    convert = handler(operation)
    if convert and len(inputs) == 1 and not _has_options(options):
        result = convert(operation, *inputs)
        if isinstance(result, EncoderOutput):
            encoders.append(result)
        if result is not NotImplemented:
            return result
    inputs, options = keras.tree.map_structure(materialize, (inputs, options))
    if isinstance(operation, keras.layers.Layer) and takes_training(operation):
        options["training"] = False
    return operation(*inputs, **options)


def _has_options(options):
    """Whether a call has arguments that handlers do not support, such as a mask."""
    given = [value for name, value in options.items() if name != "training"]
    return any(value is not None and value is not False for value in given)
