"""Resamples positions to another grid of patches, as each original library does."""

import math

import numpy as np

from keras_vit.layers.position_embedding import resampling_matrix
from keras_vit.pretrained.tensors import Tensor, Tensors


def resampled(tensors: Tensors, name: str, old: tuple, new: tuple, kind: str) -> Tensors:
    """Returns tensors whose table of positions `name` is resampled when it is read; see `resample`."""
    *leading, length, hidden_dim = tensors.shape(name)
    shape = (*leading, length - math.prod(old) + math.prod(new), hidden_dim)

    def read():
        table = tensors[name].read().reshape(length, hidden_dim)
        return resample(table, old, new, kind).reshape(shape)

    return Tensors(tensors.where, {**tensors, name: Tensor(shape, read)})


def resample(table: np.ndarray, old: tuple, new: tuple, kind: str = "antialiased") -> np.ndarray:
    """Resamples positions `(num_prefix_tokens + rows * columns, hidden_dim)` from an old grid to a new one.

    Rows before the grid, such as the class token's, stay the same. Kinds: `"antialiased"` (timm; bicubic),
    `"bicubic"` (transformers; a = -0.75, not antialiased), `"bilinear"` (Google; the corners stay the same).
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
    for offset in range(-1, 3):  # the four neighbours; the border is repeated
        weights = _cubic(np.abs(centres - (first + offset)))
        np.add.at(matrix, (np.arange(new), np.clip(first + offset, 0, old - 1)), weights)
    return matrix.astype("float32")


def _cubic(distance, a=-0.75):
    near = ((a + 2) * distance - (a + 3)) * distance**2 + 1
    far = ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a
    return np.where(distance <= 1, near, np.where(distance < 2, far, 0))
