"""Layouts of weights in the files of other libraries, for the mapping tables."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Layout(NamedTuple):
    """A pair of inverse functions between an array of theirs and one of ours.

    `read(array, shape)` gives ours, of `shape`; `write(array, patch)` gives theirs, `patch` being
    `(height, width, channels)`; `fits(theirs, ours)` returns whether the shapes correspond.
    """

    read: Callable
    write: Callable
    fits: Callable


def tokens(ndim):
    """Returns the layout of tokens and positions: the same numbers with `ndim` axes, the first of size 1."""

    def write(array, patch):
        kept = list(array.shape)
        while len(kept) > 1 and kept[0] == 1:
            kept.pop(0)
        return array.reshape((1,) * (ndim - len(kept)) + tuple(kept))

    return Layout(_reshaped, write, _same_size_and_end)


def _reshaped(array, shape):
    return array.reshape(shape)


def _same_size_and_end(theirs, ours):
    return math.prod(theirs) == math.prod(ours) and theirs[-1] == ours[-1]


def _read_patches(array, shape):
    return array.transpose(2, 3, 1, 0).reshape(shape)


def _write_patches(array, patch):
    return array.reshape(*patch, -1).transpose(3, 2, 0, 1)


def _patches_fit(theirs, ours):
    return len(theirs) == 4 and (math.prod(theirs[1:]), theirs[0]) == tuple(ours)


def _third(transposed, first):
    """Returns the layout of the first third of their rows (query), or of the others (key and value)."""

    def read(array, shape):
        array = array[: shape[-1]] if first else array[-shape[-1] :]
        return array.T if transposed else array

    def fits(theirs, ours):
        rows = ours[-1] * (3 if first else 1.5)
        return tuple(theirs) == ((rows, ours[0]) if transposed else (rows,))

    return Layout(read, lambda array, patch: array.T if transposed else array, fits)


def in_pairs(layout, axis=0):
    """Reorders a layout whose heads rotate neighbouring channels, where ours rotate one from each half.

    Args:
        layout: Layout of the weight.
        axis: int, the axis of theirs on which the heads are concatenated.

    Returns:
        A function from the size of a head to a Layout.
    """

    def of_heads(head_dim):
        def read(array, shape):
            return layout.read(_transposed_heads(array, axis, (head_dim // 2, 2)), shape)

        def write(array, patch):
            return _transposed_heads(layout.write(array, patch), axis, (2, head_dim // 2))

        return Layout(read, write, layout.fits)

    return of_heads


def _transposed_heads(array, axis, shape):
    """Transposes each head, a flattened matrix of `shape` on one axis."""
    array = np.moveaxis(array, axis, -1)
    heads = array.reshape(*array.shape[:-1], -1, *shape).swapaxes(-1, -2)
    return np.moveaxis(heads.reshape(array.shape), -1, axis)


# Vectors, and matrices as ours.
PLAIN = Layout(lambda array, shape: array, lambda array, patch: array, lambda t, o: tuple(t) == tuple(o))
# torch's (outputs, inputs).
KERNEL = Layout(
    lambda array, shape: array.T, lambda array, patch: array.T, lambda t, o: tuple(t) == tuple(o[::-1])
)
# torch's (outputs, channels, height, width).
PATCHES = Layout(_read_patches, _write_patches, _patches_fit)
# Google's (height, width, channels, outputs) and (hidden_dim, num_heads, head_dim).
FLATTENED = Layout(_reshaped, None, lambda theirs, ours: math.prod(theirs) == math.prod(ours))  # read only
QUERY_KERNEL, QUERY_BIAS = _third(True, True), _third(False, True)
KEY_VALUE_KERNEL, KEY_VALUE_BIAS = _third(True, False), _third(False, False)
