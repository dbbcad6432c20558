"""Positions of one grid of patches for another, as each original library computes them."""

import numpy as np

from keras_vit.layers.position_embedding import resampling_matrix
from keras_vit.pretrained.tensors import Tensors


class Resampled(Tensors):
    """Tensors of which one, the table of positions, is for another grid.

    Args:
        tensors: `Tensors`.
        name: str, the table's.
        grids: `((rows, columns), (rows, columns))`, theirs and the new one.
        kind: `"antialiased"`, `"bicubic"` or `"bilinear"`, see `resample`.
    """

    def __init__(self, tensors, name, grids, kind):
        super().__init__(tensors.where)
        self._tensors, self._name, self._grids, self._kind = tensors, name, grids, kind

    def names(self):
        return self._tensors.names()

    def shape(self, name):
        shape = tuple(self._tensors.shape(name))
        if name != self._name:
            return shape
        old, new = (rows * columns for rows, columns in self._grids)
        return (*shape[:-2], shape[-2] - old + new, shape[-1])

    def __getitem__(self, name):
        array = self._tensors[name]
        if name != self._name:
            return array
        return resample(array.reshape(-1, array.shape[-1]), *self._grids, self._kind).reshape(
            self.shape(name)
        )


def resample(table, old, new, kind="antialiased"):
    """Resamples positions; what stands before the grid (a class token's) stays.

    Args:
        table: `(num_prefix_tokens + rows * columns, hidden_dim)`.
        old, new: `(rows, columns)`.
        kind: `"antialiased"` (timm; bicubic), `"bicubic"` (transformers; a = -0.75, not antialiased) or
            `"bilinear"` (Google; the corners stay where they are).
    """
    prefix = len(table) - old[0] * old[1]
    grid = table[prefix:].reshape(*old, -1)
    by_row, by_column = (_matrix(o, n, kind) for o, n in zip(old, new, strict=True))
    grid = np.einsum("ro,ocd,nc->rnd", by_row, grid, by_column, optimize=True)
    return np.concatenate([table[:prefix], grid.reshape(-1, table.shape[-1])]).astype("float32")


def _matrix(old, new, kind):
    if kind == "antialiased":
        return resampling_matrix(old, new)
    if kind == "bilinear":
        centres = np.linspace(0, old - 1, new)
        return np.maximum(0, 1 - np.abs(np.arange(old)[None] - centres[:, None])).astype("float32")
    centres = (np.arange(new) + 0.5) * old / new - 0.5
    first = np.floor(centres).astype(int)
    matrix = np.zeros((new, old))
    for offset in range(-1, 3):  # the four neighbours; beyond the border stands the border
        weights = _cubic(np.abs(centres - (first + offset)))
        np.add.at(matrix, (np.arange(new), np.clip(first + offset, 0, old - 1)), weights)
    return matrix.astype("float32")


def _cubic(distance, a=-0.75):
    near = ((a + 2) * distance - (a + 3)) * distance**2 + 1
    far = ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a
    return np.where(distance <= 1, near, np.where(distance < 2, far, 0))
