"""Computes a model with each layer converted by its handler, wherever in the model it is called."""

import functools

import keras
import tensorflow as tf

from keras_vit.errors import Notice, warn
from keras_vit.export.images.rollout import rollout
from keras_vit.export.mobile.pending import EncoderOutput, is_pending, materialize
from keras_vit.export.mobile.registry import handler, reads_integers
from keras_vit.export.model.precision import in_float32
from keras_vit.keras_internals import (
    child_layers,
    is_graph,
    mask_of,
    replaced_calls,
    run_graph,
    sign_by_comparison,
    takes_training,
)
from keras_vit.models.rollout import map_grid

OURS = "keras_vit.layers."  # the modules of layers that all have a mobile form, though not for all options


class MobileForm:
    """A model's function in operators that run fast on a phone, for tensors of fixed sizes.

    Made by `mobile_form`. Weights are constants, except in layers that are called as is, which
    `unconverted` lists. `map_shape` is that of the attention that `with_attention` returns, or None.
    """

    def __init__(self, model, attention=False):
        self.model = model
        self.name = model.name
        unconverted = [layer for layer in _leaves(model) if handler(layer) is None]
        self.unconverted = tuple(map(_named, unconverted))
        if ours := [_named(layer) for layer in unconverted if type(layer).__module__.startswith(OURS)]:
            message = f"Exported as is, right but slower on a phone: {', '.join(ours)}."
            warn(message, Notice)
        self.variables = model.variables
        self.map_shape = map_grid(model) if attention else None

    def __call__(self, inputs):
        """Returns the outputs for inputs, both in the structures of the model."""
        return self._run(inputs, [])

    def with_attention(self, images):
        """Returns the outputs, and the attention rollout `(batch, rows, columns)`."""
        encoders = []
        outputs = self._run(images, encoders)
        return outputs, rollout(self.model, encoders[-1].scores)

    def _run(self, inputs, encoders):
        converted = _Converted(encoders)
        with replaced_calls(converted.called_by_code), sign_by_comparison():
            if is_graph(self.model):
                return _materialized(converted.graph(self.model, inputs))
            return self.model(inputs, training=False)


def mobile_form(model: keras.Model, attention: bool = False) -> MobileForm:
    """Returns the form of a trained model that runs fastest on a phone.

    It computes the same function in float32; on logits the two differ by float32 rounding only (1e-5 of the
    largest logit). A functional or Sequential model may have any precision, another one computes in float32.
    Attention of a model that has none is an InputError.
    """
    return MobileForm(in_float32(model), attention)


def _named(layer):
    return f"{layer.name} ({type(layer).__name__})"


def _leaves(layer):
    """The layers that are converted or called as one, in layers and models of any depth."""
    for child in child_layers(layer):
        if handler(child) or type(child).__module__.startswith(OURS) or not child_layers(child):
            if not isinstance(child, keras.layers.InputLayer):
                yield child
        else:
            yield from _leaves(child)


class _Converted:
    """The calls of one computation, each converted where its layer has a handler for its arguments."""

    def __init__(self, encoders):
        self.encoders = encoders  # gets each `EncoderOutput`
        self.running = []  # layers that must be called as usual: their handlers call them

    def graph(self, model, inputs):
        """Runs the graph of a model; values between its layers may stay pending."""
        return run_graph(model, inputs, lambda operation: functools.partial(self.call, operation))

    def call(self, operation, *inputs, **options):
        """Calls an operation of a graph, at inference whatever `training` was given when it was built."""
        options.pop("training", None)
        if isinstance(operation, keras.layers.Layer) and not _has_options(options):
            result = self._convert(operation, *inputs)
            if result is not NotImplemented:
                return result
        inputs, options = keras.tree.map_structure(materialize, (inputs, options))
        if isinstance(operation, keras.layers.Layer) and takes_training(operation):
            options["training"] = False
        return operation(*inputs, **options)

    def called_by_code(self, layer, *inputs, **options):
        """Computes a call of a layer in the code of another layer or model; or returns `NotImplemented`."""
        if layer in self.running or _has_options(options):
            return NotImplemented
        return _materialized(self._convert(layer, *inputs))

    def _convert(self, layer, *inputs):
        if len(inputs) != 1 or not _is_plain(inputs, reads_integers(layer)):
            return NotImplemented
        if is_graph(layer):
            return self.graph(layer, *inputs)
        convert = handler(layer)
        if convert is None:
            return NotImplemented
        self.running.append(layer)
        try:
            result = convert(layer, *inputs)
        finally:
            self.running.pop()
        if isinstance(result, EncoderOutput):
            self.encoders.append(result)
        return result


def _materialized(values):
    return keras.tree.map_structure(materialize, values)


def _is_plain(inputs, any_type):
    """Whether inputs are pending values or tensors as handlers take them: of known sizes, without a mask."""
    tensors = [value for value in keras.tree.flatten(inputs) if not is_pending(value)]
    return all(
        tf.is_tensor(x) and x.shape.is_fully_defined() and mask_of(x) is None
        and (any_type or x.dtype == tf.float32)
        for x in tensors
    )  # fmt: skip


def _has_options(options):
    """Whether a call has arguments that handlers do not support, such as a mask."""
    return any(value is not None and value is not False for value in options.values())
