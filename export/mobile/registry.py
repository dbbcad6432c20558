"""The table of handlers, by the type of the layer that they convert."""

_HANDLERS = {}


def handles(*layer_types):
    """Registers a function `(layer, x) -> y` as the handler of these layer types (not of their subclasses).

    `x` and `y` are tensors or pending values of `keras_vit.export.mobile.pending`. A handler returns
    `NotImplemented` for a layer with an option that it does not know.
    """

    def register(function):
        _HANDLERS.update(dict.fromkeys(layer_types, function))
        return function

    return register


def handler(layer):
    """Returns the handler of a layer, or None."""
    return _HANDLERS.get(type(layer))
