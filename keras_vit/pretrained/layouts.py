"""Layouts of weights in the files of other libraries, for the mapping tables."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Layout(NamedTuple):
    """A pair of inverse functions between an array of theirs and one of ours.

    `read(array, shape)` gives ours, whose shape is `shape` where theirs fits; `write(array, patch)` gives
    theirs, `patch` being `(height, width, channels)`.
    """

    read: Callable
    write: Callable | None  # None: read only

    def fits(self, theirs: tuple, ours: tuple) -> bool:
        """Returns whether an array of the shape `theirs` is read as one of the shape `ours`."""
        try:
            return self.read(np.broadcast_to(np.float32(0), theirs), ours).shape == ours
        except (ValueError, IndexError):  # theirs has other axes, or another size
            return False


def tokens(ndim):
    """Returns the layout of tokens and positions: the same numbers with `ndim` axes, the first of size 1."""

    def write(array, patch):
        kept = list(array.shape)
        while len(kept) > 1 and kept[0] == 1:
            kept.pop(0)
        return array.reshape((1,) * (ndim - len(kept)) + tuple(kept))

    return Layout(lambda array, shape: array.reshape(*shape[:-1], array.shape[-1]), write)


def _third(part):
    """Returns the layout of one of three equal parts of the first axis."""
    return Layout(
        lambda array, shape: np.concatenate(np.split(array, 3)[part]).T, lambda array, patch: array.T
    )


def in_pairs(layout: Layout, axis: int = 0) -> Callable[[int], Layout]:
    """Returns, for a size of a head, a layout whose heads rotate neighbouring channels; ours pair the halves.

    The heads of the weight of theirs are concatenated on `axis`.
    """

    def of_heads(head_dim):
        def read(array, shape):
            return layout.read(_transposed_heads(array, axis, (head_dim // 2, 2)), shape)

        def write(array, patch):
            return _transposed_heads(layout.write(array, patch), axis, (2, head_dim // 2))

        return Layout(read, write)

    return of_heads


def _transposed_heads(array, axis, shape):
    """Transposes each head, a flattened matrix of `shape` on one axis."""
    array = np.moveaxis(array, axis, -1)
    heads = array.reshape(*array.shape[:-1], -1, *shape).swapaxes(-1, -2)
    return np.moveaxis(heads.reshape(array.shape), -1, axis)


# Vectors, and matrices as ours.
PLAIN = Layout(lambda array, shape: array, lambda array, patch: array)
# torch's (outputs, inputs).
KERNEL = Layout(lambda array, shape: array.T, lambda array, patch: array.T)
# torch's (outputs, channels, height, width).
PATCHES = Layout(
    lambda array, shape: array.transpose(2, 3, 1, 0).reshape(-1, len(array)),
    lambda array, patch: array.reshape(*patch, -1).transpose(3, 2, 0, 1),
)
# Google's (height, width, channels, outputs) and (hidden_dim, num_heads, head_dim).
FLATTENED = Layout(lambda array, shape: array.reshape(shape), None)
# torch's query, key and value in one; a vector is its own transpose.
QUERY, KEY_VALUE = _third(slice(0, 1)), _third(slice(1, 3))
