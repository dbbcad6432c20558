"""Encodes in queries and keys how far apart two patches are, in rows and in columns."""

from typing import Annotated, Unpack

import keras
import numpy as np
from keras import ops

from keras_vit.constraints import Range, checked
from keras_vit.errors import InputError
from keras_vit.layers._configured_layer import ConfiguredLayer
from keras_vit.layers._options import LayerOptions, Pair
from keras_vit.pairs import as_pair


@keras.saving.register_keras_serializable(package="keras_vit")
class RotaryPositionEmbedding(ConfiguredLayer):
    """Rotates queries or keys by angles that grow with their patch's row and column; there are no weights.

    The product of a rotated query and a rotated key then depends on the distance of the two patches. Channel
    `i` of the first half of a head and channel `i` of the second are the plane that is turned; half of the
    planes turn with the row, half with the column, each at its own frequency. Rows and columns are
    measured over the whole image, from -1 to 1 or on a grid of reference, so that another grid needs no
    resampling.

    Args:
        grid_size: int or `(rows, columns)` of patches.
        num_prefix_tokens: int, tokens before the patches (class token, registers), which are not rotated.
        base: float above 0, the ratio between the highest frequency and the one that would follow the
            lowest.
        reference_grid_size: int, `(rows, columns)` or None. The highest frequency turns by one radian for
            each patch of this grid; None: by a whole turn for half the image.

    Call arguments:
        x: queries or keys, `(batch, num_heads, num_prefix_tokens + rows * columns, head_dim)`.

    Returns:
        Like `x`.

    Raises:
        InputError: a sequence that does not fit the grid; a head size that is not a multiple of 4.

    Example:
        >>> tuple(RotaryPositionEmbedding((4, 4))(ops.ones((2, 3, 16, 8))).shape)
        (2, 3, 16, 8)

    Reference: Su et al. 2021 (RoFormer), https://arxiv.org/abs/2104.09864, equation 34; on two axes: Heo et
        al. 2024, https://arxiv.org/abs/2403.13298, section 3.1; from -1 to 1: Siméoni et al. 2025 (DINOv3),
        https://arxiv.org/abs/2508.10104, section 3.2; on a grid of reference: Fang et al. 2023 (EVA-02),
        https://arxiv.org/abs/2303.11331, section 2
    """

    axes = ("batch", "num_heads", "length", "head_dim")

    @checked
    def __init__(
        self,
        grid_size: Pair,
        num_prefix_tokens: Annotated[int, Range(0)] = 0,
        base: Annotated[float, Range(1e-6)] = 100.0,
        reference_grid_size: Pair | None = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        grid_size = as_pair(grid_size, "grid_size")
        reference_grid_size = reference_grid_size and as_pair(reference_grid_size, "reference_grid_size")
        super().__init__(locals())

    def build(self, input_shape):
        *_, length, head_dim = input_shape
        self._check_length(length)
        if head_dim % 4:
            raise InputError(f"Rotation needs a head size that is a multiple of 4, received {head_dim}.")
        angles = np.pad(self._angles(head_dim // 4), ((self.num_prefix_tokens, 0), (0, 0)))
        self.cosine = np.cos(np.concatenate([angles, angles], axis=1)).astype("float32")
        self.sine = np.sin(np.concatenate([-angles, angles], axis=1)).astype("float32")

    def call(self, x):
        first, second = ops.split(x, 2, axis=-1)
        turned = ops.concatenate([second, first], axis=-1)
        return x * ops.cast(self.cosine, x.dtype) + turned * ops.cast(self.sine, x.dtype)

    def _check_input(self, x):
        super()._check_input(x)
        self._check_length(x.shape[2])

    def _check_length(self, length):
        rows, columns = self.grid_size
        expected = self.num_prefix_tokens + rows * columns
        if length != expected:
            raise InputError(
                f"Expected {expected} tokens ({self.num_prefix_tokens} before a grid of {rows} x "
                f"{columns}), received {length}. Set grid_size or num_prefix_tokens."
            )

    def _angles(self, num_frequencies):
        """`(rows * columns, 2 * num_frequencies)` in radians: those of the row, then of the column."""
        places = np.stack(np.meshgrid(*self._sides(), indexing="ij"), axis=-1)
        frequencies = float(self.base) ** -(np.arange(num_frequencies) / num_frequencies)
        return (places.reshape(-1, 2, 1) * frequencies).reshape(-1, 2 * num_frequencies)

    def _sides(self):
        """The angles of the highest frequency for each row, and for each column."""
        if self.reference_grid_size is None:
            return [2 * np.pi * ((2 * np.arange(side) + 1) / side - 1) for side in self.grid_size]
        sides = zip(self.grid_size, self.reference_grid_size, strict=True)
        return [np.arange(side) * reference / side for side, reference in sides]
