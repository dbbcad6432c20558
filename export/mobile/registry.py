"""Which function writes which kind of layer anew."""

_REWRITERS = {}


def rewrites(*layer_types):
    """Enters a function `(layer, x) -> y` for layers of these types (not of their subclasses).

    `x` and `y` are tensors or pending values of `keras_vit.export.mobile.pending`. A function that does not
    know some option of its layer returns NotImplemented.
    """

    def enter(function):
        for layer_type in layer_types:
            _REWRITERS[layer_type] = function
        return function

    return enter


def rewriter(layer):
    """Returns the function for a layer, or None."""
    return _REWRITERS.get(type(layer))
