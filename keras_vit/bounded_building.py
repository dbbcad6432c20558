"""Rejects models that are too large for any memory before anything is allocated."""

import contextlib
import math

import keras

from keras_vit.errors import InputError
from keras_vit.keras_internals import observed_layers

MAX_OUTPUT_SIZE = 2**27  # numbers in one layer's output for one image; 1024 x 1024 x 128
MAX_LAYERS = 5000
MAX_CALLS = 12_000  # during building; Sequential calls its first layers again for each that follows


@contextlib.contextmanager
def bounded_building(name, max_numbers, limit):
    """Rejects a model built inside the block that has too many weights, too many layers or a huge output.

    Args:
        name: str, what errors call the model.
        max_numbers: int, how many numbers all weights may hold.
        limit: str, what sets that maximum, such as `"the file holds"`.

    Raises:
        InputError: the model built in the block is larger.
    """
    numbers_left, layers_left, calls_left = max_numbers, MAX_LAYERS, MAX_CALLS

    def on_init():
        nonlocal layers_left
        layers_left -= 1
        if layers_left < 0:
            raise InputError(f"{name} is too large: it has more than {MAX_LAYERS:,} layers.")

    def on_weight(layer, shape):
        nonlocal numbers_left
        numbers_left -= math.prod((shape,) if isinstance(shape, int) else shape or ())
        if numbers_left < 0:
            raise InputError(
                f"{name} is too large: with the weights of shape {shape} of its layer {layer.name!r} it has "
                f"more than the {max_numbers:,} numbers that {limit}."
            )

    def on_call():
        nonlocal calls_left
        calls_left -= 1
        if calls_left < 0:
            raise InputError(f"{name} is too large: its layers are called more than {MAX_CALLS:,} times.")

    def on_outputs(layer, outputs):
        for output in keras.tree.flatten(outputs):
            if math.prod(length or 1 for length in getattr(output, "shape", ())) > MAX_OUTPUT_SIZE:
                raise InputError(
                    f"{name} is too large: its layer {layer.name!r} has outputs of shape {output.shape}."
                )

    with observed_layers(on_init, on_weight, on_call, on_outputs):
        yield
