"""Reads an int or a pair of ints as a pair: sizes of images, patches and grids."""

from typing import Annotated

from keras_vit.constraints import Range
from keras_vit.errors import InputError

Pixels = Annotated[int, Range(1, 8192)]  # of one side of an image


def as_pair(value, name):
    """Returns `(height, width)` for an int or a pair of ints, each at least 1; errors call it `name`."""
    pair = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    if len(pair) != 2 or not all(_is_size(side) for side in pair):
        raise InputError(
            f"Expected {name} to be a positive int or a pair of them (height, width), received {value!r}."
        )
    return tuple(int(side) for side in pair)


def _is_size(side):
    return hasattr(side, "__index__") and not isinstance(side, bool) and int(side) >= 1
