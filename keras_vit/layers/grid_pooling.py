"""Halves the grid of patches."""

from typing import Annotated, Unpack

import keras
from keras import ops

from keras_vit.constraints import Range, checked
from keras_vit.errors import InputError
from keras_vit.layers._configured_layer import ConfiguredLayer
from keras_vit.layers._masks import token_mask
from keras_vit.layers._options import LayerOptions, Pair
from keras_vit.pairs import as_pair


@keras.saving.register_keras_serializable(package="keras_vit")
class GridPooling(ConfiguredLayer):
    """Replaces each square of 2 x 2 patches by its mean; tokens before the patches stay as they are.

    Args:
        grid_size: int or `(rows, columns)` of patches, both even.
        num_prefix_tokens: int, tokens at the front (class token, registers) that are kept.

    Call arguments:
        x: `(batch, num_prefix_tokens + rows * columns, hidden_dim)`.
        mask: bool, `(batch, length)`, False for patches that the means leave out. Default: the Keras mask of
            `x`.

    Returns:
        `(batch, num_prefix_tokens + rows * columns / 4, hidden_dim)`.

    Raises:
        InputError: an odd grid, or a sequence that does not fit the grid.

    Example:
        >>> tuple(GridPooling((4, 4), num_prefix_tokens=1)(ops.ones((2, 17, 12))).shape)
        (2, 5, 12)

    Reference: Heo et al. 2021 (PiT), section 3.2, https://arxiv.org/abs/2103.16302, without its convolution
    """

    @checked
    def __init__(
        self,
        grid_size: Pair,
        num_prefix_tokens: Annotated[int, Range(0)] = 0,
        **options: Unpack[LayerOptions],
    ) -> None:
        grid_size = as_pair(grid_size, "grid_size")
        super().__init__(locals())

    def build(self, input_shape):
        (rows, columns), length = self.grid_size, input_shape[1]
        if rows % 2 or columns % 2:
            raise InputError(
                f"Expected a grid of patches with even sides, which can be halved, received {rows} x "
                f"{columns}. Choose an image size or a patch size that gives one."
            )
        if length != self.num_prefix_tokens + rows * columns:
            raise InputError(
                f"Expected {self.num_prefix_tokens + rows * columns} tokens ({self.num_prefix_tokens} before "
                f"a grid of {rows} x {columns}), received {length}. Set grid_size or num_prefix_tokens."
            )

    def call(self, x, mask=None):
        kept, patches = x[:, : self.num_prefix_tokens], x[:, self.num_prefix_tokens :]
        if mask is None:
            pooled = ops.mean(self._squares(patches), axis=(2, 4))
        else:
            seen = ops.cast(token_mask(x, mask)[:, self.num_prefix_tokens :, None], x.dtype)
            count = ops.sum(self._squares(seen), axis=(2, 4))
            pooled = ops.sum(self._squares(patches * seen), axis=(2, 4)) / ops.maximum(count, 1)
        rows, columns = self.grid_size
        pooled = ops.reshape(pooled, (-1, rows * columns // 4, x.shape[-1]))
        return ops.concatenate([kept, pooled], axis=1) if self.num_prefix_tokens else pooled

    def compute_mask(self, x, previous_mask=None):
        if previous_mask is None:
            return None
        mask, (rows, columns) = ops.cast(previous_mask, "bool"), self.grid_size
        seen = ops.any(self._squares(mask[:, self.num_prefix_tokens :, None]), axis=(2, 4))
        seen = ops.reshape(seen, (-1, rows * columns // 4))
        return ops.concatenate([mask[:, : self.num_prefix_tokens], seen], axis=1)

    def compute_output_shape(self, input_shape):
        (rows, columns), (batch, _, hidden_dim) = self.grid_size, input_shape
        return (batch, self.num_prefix_tokens + rows * columns // 4, hidden_dim)

    def _squares(self, x):
        """`(batch, rows / 2, 2, columns / 2, 2, channels)`."""
        rows, columns = self.grid_size
        return ops.reshape(x, (-1, rows // 2, 2, columns // 2, 2, x.shape[-1]))
