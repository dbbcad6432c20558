"""Adds the position of each token."""

from typing import Annotated, Unpack

import keras
import numpy as np
from keras import ops

from keras_vit.constraints import Choices, Range, checked
from keras_vit.errors import InputError
from keras_vit.layers._configured_layer import ConfiguredLayer
from keras_vit.layers._options import LayerOptions, Pair
from keras_vit.pairs import as_pair

KINDS = ("learned", "sincos_1d", "sincos_2d")


@keras.saving.register_keras_serializable(package="keras_vit")
class PositionEmbedding(ConfiguredLayer):
    """Adds to each token an embedding of its position in the grid of patches.

    With `target_grid_size` the layer serves another grid than the trained one: learned embeddings are
    resampled by antialiased bicubic interpolation in each call, sin-cos ones are evaluated at the new
    positions. The weight keeps the trained grid, so that it is saved as it was trained.

    Args:
        grid_size: int or `(rows, columns)` of patches in training. `(1, max_length)` is for text and other
            sequences of open length: `x` may be shorter.
        kind: `"learned"` (default), `"sincos_1d"` or `"sincos_2d"`; the last two have no weights.
        num_prefix_tokens: int, tokens before the patches (a class token). Learned embeddings cover
            them, sin-cos ones leave them unchanged.
        target_grid_size: int, `(rows, columns)` or None (the trained grid).

    Call arguments:
        x: `(batch, num_prefix_tokens + rows * columns, hidden_dim)`, or shorter for one row.

    Returns:
        Like `x`.

    Raises:
        InputError: an unknown kind; a sequence that does not fit the grid; a hidden size that sin-cos
            cannot fill (1-D needs a multiple of 2, 2-D of 4).

    Example:
        >>> layer = PositionEmbedding((4, 4), num_prefix_tokens=1)
        >>> tuple(layer(ops.ones((2, 17, 12))).shape), tuple(layer.embedding.shape)
        ((2, 17, 12), (17, 12))
        >>> text = keras.Input((None, 12))
        >>> PositionEmbedding((1, 512))(text).shape
        (None, None, 12)

    Reference: learned: https://arxiv.org/abs/2010.11929, appendix D.4; sin-cos 1-D:
        https://arxiv.org/abs/1706.03762, section 3.5; 2-D: https://arxiv.org/abs/2205.01580
    """

    @checked
    def __init__(
        self,
        grid_size: Pair,
        kind: Annotated[str, Choices(*KINDS)] = "learned",
        num_prefix_tokens: Annotated[int, Range(0)] = 0,
        target_grid_size: Pair | None = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        grid_size = as_pair(grid_size, "grid_size")
        target_grid_size = target_grid_size and as_pair(target_grid_size, "target_grid_size")
        super().__init__(locals())

    def build(self, input_shape):
        self._check_length(input_shape[1])
        hidden_dim = input_shape[-1]
        if self.kind == "learned":
            trained = self.num_prefix_tokens + self.grid_size[0] * self.grid_size[1]
            self.embedding = self.add_weight(
                shape=(trained, hidden_dim),
                initializer=keras.initializers.TruncatedNormal(stddev=0.02),
                name="embedding",
            )
        else:
            table = sincos(self.kind, self.grid_size, self.target_grid_size, hidden_dim)
            self.embedding = np.pad(table, ((self.num_prefix_tokens, 0), (0, 0)))

    def call(self, x):
        embedding = ops.cast(self.embedding, "float32")
        if self.kind == "learned" and self.target_grid_size not in (None, self.grid_size):
            embedding = self._resampled(embedding)
        return x + ops.cast(self._for_length(embedding, x), x.dtype)

    def _check_length(self, length):
        rows, columns = self.target_grid_size or self.grid_size
        expected = self.num_prefix_tokens + rows * columns
        is_open = rows == 1 and (length is None or length < expected)
        if length != expected and not is_open:
            raise InputError(
                f"Expected {'at most ' if rows == 1 else ''}{expected} tokens ({self.num_prefix_tokens} "
                f"before a grid of {rows} x {columns}), received {length}. Set "
                "grid_size, the (rows, columns) of patches, or target_grid_size."
            )

    def _for_length(self, embedding, x):
        if x.shape[1] == embedding.shape[0]:
            return embedding
        self._check_length(x.shape[1])
        return embedding[: ops.shape(x)[1]]

    def _resampled(self, embedding):
        (rows, columns), target = self.grid_size, self.target_grid_size
        prefix = embedding[: self.num_prefix_tokens]
        hidden_dim = embedding.shape[-1]
        by_row = ops.convert_to_tensor(resampling_matrix(rows, target[0]))
        by_column = ops.convert_to_tensor(resampling_matrix(columns, target[1]))
        grid = ops.reshape(embedding[self.num_prefix_tokens :], (rows, columns * hidden_dim))
        grid = ops.reshape(ops.matmul(by_row, grid), (target[0], columns, hidden_dim))
        grid = ops.reshape(ops.matmul(by_column, grid), (target[0] * target[1], hidden_dim))
        return ops.concatenate([prefix, grid], axis=0)


def resampling_matrix(source, target):
    """Returns the `(target, source)` float32 matrix of antialiased bicubic resampling (a = -0.5).

    The pixels' centres are aligned; rows sum to one. This is what Pillow and PyTorch's
    `interpolate(mode="bicubic", antialias=True)` compute along one axis.
    """
    scale = source / target
    width = max(scale, 1.0)
    centres = (np.arange(target)[:, None] + 0.5) * scale
    distance = np.abs((np.arange(source)[None] + 0.5 - centres) / width)
    near = (1.5 * distance - 2.5) * distance**2 + 1
    far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
    weights = np.where(distance < 1, near, np.where(distance < 2, far, 0.0))
    return (weights / weights.sum(axis=1, keepdims=True)).astype("float32")


def sincos(kind, grid_size, target_grid_size, hidden_dim):
    """Returns the fixed `(rows * columns, hidden_dim)` float32 table of sines and cosines."""
    divisor = 2 if kind == "sincos_1d" else 4
    if hidden_dim % divisor:
        raise InputError(
            f"kind={kind!r} needs a hidden size that is a multiple of {divisor}, received {hidden_dim}."
        )
    rows, columns = (
        (np.arange(new) + 0.5) * old / new - 0.5
        for old, new in zip(grid_size, target_grid_size or grid_size, strict=True)
    )
    row, column = (axis.ravel() for axis in np.meshgrid(rows, columns, indexing="ij"))
    if kind == "sincos_1d":
        return _waves(row * grid_size[1] + column, hidden_dim)
    return np.concatenate([_waves(column, hidden_dim // 2), _waves(row, hidden_dim // 2)], axis=1)


def _waves(positions, dim):
    frequencies = 10_000.0 ** -(np.arange(dim // 2) / max(dim // 2 - 1, 1))
    angles = positions[:, None] * frequencies[None]
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1).astype("float32")
