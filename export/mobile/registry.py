"""The table of handlers, by the type of the layer that they convert."""

import keras

from keras_vit.keras_internals import all_layers, is_graph
from keras_vit.layers._options import LAYER_DEFAULTS

_HANDLERS = {}
_KNOWN_OPTIONS = {}
_OF_EVERY_LAYER = frozenset(keras.layers.Layer().get_config())
_TRAINING_ONLY = (
    "seed", "dropout_rate", "drop_path_rate", "remat", "inner_layers", "_initializer", "_regularizer",
    "_constraint",
)  # fmt: skip


def handles(*layer_types, options=None):
    """Registers a function `(layer, x) -> y` as the handler of these layer types (not of their subclasses).

    `x` and `y` are tensors or pending values. A handler returns `NotImplemented` for a layer that it cannot
    convert. `options` names what it computes of a layer's configuration, except what matters in training
    only: a layer is called as is if another option is set in it or in one of its parts. Without `options`
    the handler checks them itself.
    """

    def register(function):
        _HANDLERS.update(dict.fromkeys(layer_types, function))
        if options is not None:
            known = _OF_EVERY_LAYER.union(options)
            _KNOWN_OPTIONS.update(dict.fromkeys(layer_types, known))
        return function

    return register


def is_quantized(layer):
    """Whether Keras has quantized a layer, whose kernel is then integers."""
    return getattr(layer, "quantization_mode", None) is not None


def handler(layer):
    """Returns the handler of a layer, or None if the layer must be called as is."""
    function = _HANDLERS.get(type(layer))
    parts = all_layers(layer) if function else ()
    if function and not any(_unknown_options(part) or is_quantized(part) for part in parts):
        return function
    return None


def reads_integers(layer):
    """Returns whether a layer takes tensors of any type, not of float32 alone: tables, and nested models."""
    return isinstance(layer, keras.layers.Embedding) or is_graph(layer)


def _unknown_options(layer):
    """The names of options that are set and that the layer's handler does not compute."""
    known = _KNOWN_OPTIONS.get(type(layer))
    config = layer.get_config() if known else {}
    is_set = {name for name, value in config.items() if value not in (None, LAYER_DEFAULTS.get(name, False))}
    return [name for name in is_set - (known or set()) if not name.endswith(_TRAINING_ONLY)]
