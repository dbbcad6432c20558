"""Rejects models that are too large for any memory before anything is allocated."""

import contextlib
import itertools
import math

import keras

from keras_vit.errors import InputError
from keras_vit.keras_internals import replaced_methods

MAX_OUTPUT_SIZE = 2**27  # numbers in one layer's output for one image; 1024 x 1024 x 128
MAX_LAYERS = 5000
MAX_CALLS = 12_000  # during building; Sequential calls its first layers again for each that follows


@contextlib.contextmanager
def bounded_building(name: str, max_numbers: int, limit: str):
    """Rejects a model built inside the block that has too many weights, too many layers or a huge output.

    Errors call the model `name`. `max_numbers` is how many numbers all weights may hold, and `limit` is the
    reason for that maximum, such as `"the file holds"`.
    """
    numbers_left, layers, calls = max_numbers, itertools.count(1), itertools.count(1)

    def init(original, layer, *args, **kwargs):
        if next(layers) > MAX_LAYERS:
            raise InputError(f"{name} is too large: it has more than {MAX_LAYERS:,} layers.")
        original(layer, *args, **kwargs)

    def add_weight(original, layer, shape=None, *args, **kwargs):
        nonlocal numbers_left
        numbers_left -= math.prod((shape,) if isinstance(shape, int) else shape or ())
        if numbers_left < 0:
            raise InputError(
                f"{name} is too large: with the weights of shape {shape} of its layer {layer.name!r} it has "
                f"more than the {max_numbers:,} numbers that {limit}."
            )
        return original(layer, shape, *args, **kwargs)

    def call(original, layer, *args, **kwargs):
        if next(calls) > MAX_CALLS:
            raise InputError(f"{name} is too large: its layers are called more than {MAX_CALLS:,} times.")
        outputs = original(layer, *args, **kwargs)
        for output in keras.tree.flatten(outputs):
            if _size(getattr(output, "shape", ())) > MAX_OUTPUT_SIZE:
                raise InputError(
                    f"{name} is too large: its layer {layer.name!r} has outputs of shape {output.shape}."
                )
        return outputs

    with replaced_methods(__init__=init, add_weight=add_weight, __call__=call):
        yield


def _size(shape):
    """Returns how many numbers one item has; lengths that are open are None, and symbols under JAX."""
    return math.prod(length for length in shape if isinstance(length, int) and length)
