"""Refuses models that no memory holds before anything of them is allocated."""

import contextlib
import math

import keras

from keras_vit.errors import InputError

LARGEST_OUTPUT = 2**27  # numbers of one layer for one image; 1024 x 1024 x 128
MOST_LAYERS = 5000
MOST_CALLS = 12_000  # while it is built; Sequential calls its first layers again for each that follows


@contextlib.contextmanager
def bounded_building(what, most_numbers, limit):
    """Refuses, while a model is built, more weights than so many numbers, and too many or vast layers.

    Args:
        what: str, what errors call the model.
        most_numbers: int.
        limit: str, why no more: whose they are, as in `"the file holds"`.

    Raises:
        InputError: the block builds more.
    """
    layer_class, left, layers_left, calls_left = keras.layers.Layer, most_numbers, MOST_LAYERS, MOST_CALLS
    originals = layer_class.__init__, layer_class.add_weight, layer_class.__call__

    def init(layer, *args, **kwargs):
        nonlocal layers_left
        layers_left -= 1
        if layers_left < 0:
            raise InputError(f"{what} is too large: it has more than {MOST_LAYERS:,} layers.")
        originals[0](layer, *args, **kwargs)

    def add_weight(layer, shape=None, *args, **kwargs):
        nonlocal left
        left -= math.prod((shape,) if isinstance(shape, int) else shape or ())
        if left < 0:
            raise InputError(
                f"{what} is too large: with the weights of shape {shape} of its layer {layer.name!r} it has "
                f"more than the {most_numbers:,} numbers that {limit}."
            )
        return originals[1](layer, shape, *args, **kwargs)

    def call(layer, *args, **kwargs):
        nonlocal calls_left
        calls_left -= 1
        if calls_left < 0:
            raise InputError(f"{what} is too large: its layers are called more than {MOST_CALLS:,} times.")
        outputs = originals[2](layer, *args, **kwargs)
        for output in keras.tree.flatten(outputs):
            if math.prod(length or 1 for length in getattr(output, "shape", ())) > LARGEST_OUTPUT:
                raise InputError(
                    f"{what} is too large: its layer {layer.name!r} makes {output.shape} numbers."
                )
        return outputs

    layer_class.__init__, layer_class.add_weight, layer_class.__call__ = init, add_weight, call
    try:
        yield
    finally:
        layer_class.__init__, layer_class.add_weight, layer_class.__call__ = originals
