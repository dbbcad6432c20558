"""Rejects models that are too large for any memory before anything is allocated."""

import contextlib
import itertools
import math

import keras

from keras_vit.errors import InputError
from keras_vit.keras_internals import observed_layers

MAX_OUTPUT_SIZE = 2**27  # numbers in one layer's output for one image; 1024 x 1024 x 128
MAX_LAYERS = 5000
MAX_CALLS = 12_000  # during building; Sequential calls its first layers again for each that follows


@contextlib.contextmanager
def bounded_building(name: str, max_numbers: int, limit: str):
    """Rejects a model built inside the block that has too many weights, too many layers or a huge output.

    Errors call the model `name`. `max_numbers` is how many numbers all weights may hold, and `limit` is the
    reason for that maximum, such as `"the file holds"`.
    """
    numbers_left = max_numbers

    def at_most(limit, problem):
        """Returns a function that may be called `limit` times."""
        calls = itertools.count(1)

        def on_event():
            if next(calls) > limit:
                raise InputError(f"{name} is too large: {problem}.")

        return on_event

    def on_weight(layer, shape):
        nonlocal numbers_left
        numbers_left -= math.prod((shape,) if isinstance(shape, int) else shape or ())
        if numbers_left < 0:
            raise InputError(
                f"{name} is too large: with the weights of shape {shape} of its layer {layer.name!r} it has "
                f"more than the {max_numbers:,} numbers that {limit}."
            )

    def on_outputs(layer, outputs):
        for output in keras.tree.flatten(outputs):
            if math.prod(length or 1 for length in getattr(output, "shape", ())) > MAX_OUTPUT_SIZE:
                raise InputError(
                    f"{name} is too large: its layer {layer.name!r} has outputs of shape {output.shape}."
                )

    on_init = at_most(MAX_LAYERS, f"it has more than {MAX_LAYERS:,} layers")
    on_call = at_most(MAX_CALLS, f"its layers are called more than {MAX_CALLS:,} times")
    with observed_layers(on_init, on_weight, on_call, on_outputs):
        yield
