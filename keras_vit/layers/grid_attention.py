"""Attention between the places of a grid, as in LeViT."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Unpack

import keras
import numpy as np
from keras import ops

from keras_vit.constraints import Range, checked
from keras_vit.errors import InputError
from keras_vit.layers._configured_layer import ConfiguredLayer, build_dense
from keras_vit.layers._options import Count, DenseLayerOptions, Width


@keras.saving.register_keras_serializable(package="keras_vit")
class GridAttention(ConfiguredLayer):
    """Multi-head attention between the places of a grid, with a learned bias for each head and distance.

    Queries, keys, values and the output come from dense layers without bias, each followed by batch
    normalization, which an export folds into them. The bias depends on the distances of two places in rows
    and columns, and takes the role of a position embedding. With `strides` above 1 only every such row and
    column has a query, so that the grid shrinks.

    Args:
        num_heads: int.
        key_dim: int, size of each query and key.
        value_dim: int, size of each value. Default: twice `key_dim`.
        hidden_dim: int, channels of the output. Default: those of the input.
        strides: int.
        activation: of what the heads return, before the last dense layer: a Keras activation or its name.
            Default `"hard_swish"`.
        gamma_initializer: of the scales of the last normalization; `"zeros"` makes a residual branch start
            as zero. Default `"ones"`.
        **options: of the dense layers, as in `SelfAttention`.

    Call arguments:
        x: `(batch, height, width, channels)`.
        training: bool. In training the normalizations use the statistics of the batch.

    Returns:
        `(batch, ceil(height / strides), ceil(width / strides), hidden_dim)`.

    Raises:
        InputError: an input without a known size, or of another one than the layer was built for.

    Example:
        >>> tuple(GridAttention(2, key_dim=8, strides=2)(ops.ones((2, 7, 4, 12))).shape)
        (2, 4, 2, 12)

    Reference: Graham et al. 2021, https://arxiv.org/abs/2104.01136, sections 4.1 and 4.2
    """

    axes = ("batch", "height", "width", "channels")

    @checked
    def __init__(
        self,
        num_heads: Count,
        key_dim: Width,
        value_dim: Width | None = None,
        hidden_dim: Width | None = None,
        strides: Annotated[int, Range(1, 64)] = 1,
        activation: str | Callable | Mapping = "hard_swish",
        gamma_initializer: Any = "ones",
        **options: Unpack[DenseLayerOptions],
    ) -> None:
        if isinstance(activation, Mapping):
            activation = keras.saving.deserialize_keras_object(dict(activation))
        super().__init__(locals())
        self.supports_masking = False  # a mask of pixels is not one of a smaller grid
        for part in ("query", "key", "value", "projection"):
            setattr(self, part, self._dense(part, use_bias=False))
        self.query_norm, self.key_norm = self._batch_norm("query_norm"), self._batch_norm("key_norm")
        self.value_norm = self._batch_norm("value_norm")
        self.projection_norm = self._batch_norm("projection_norm", gamma_initializer=gamma_initializer)

    def build(self, input_shape):
        rows, columns, channels = self._sizes(input_shape)
        key_width, value_width = self.num_heads * self.key_dim, self._value_width()
        for part, inputs, units in (
            ("query", channels, key_width),
            ("key", channels, key_width),
            ("value", channels, value_width),
            ("projection", value_width, self.hidden_dim or channels),
        ):
            build_dense(getattr(self, part), inputs, units)
            getattr(self, f"{part}_norm").build((None, None, None, units))
        self.attention_bias = self.add_weight(
            shape=(self.num_heads, rows * columns), initializer="zeros", name="attention_bias"
        )
        self.distances = grid_distances(rows, columns, self.strides)

    def call(self, x, training=False):
        queried = x[:, :: self.strides, :: self.strides] if self.strides > 1 else x
        query, key, value = (
            self._heads(part, inputs, training)
            for part, inputs in (("query", queried), ("key", x), ("value", x))
        )
        scores = ops.matmul(query * self.key_dim**-0.5, ops.transpose(key, (0, 1, 3, 2)))
        bias = ops.take(self.attention_bias, self.distances.ravel(), axis=1)
        bias = ops.cast(ops.reshape(bias, (-1, *self.distances.shape)), scores.dtype)
        scores = ops.softmax(scores + bias, axis=-1)
        mixed = ops.transpose(ops.matmul(scores, value), (0, 2, 1, 3))
        mixed = ops.reshape(mixed, (-1, *queried.shape[1:3], self._value_width()))
        return self._normed("projection", keras.activations.get(self.activation)(mixed), training)

    def compute_output_shape(self, input_shape):
        rows, columns, channels = self._sizes(input_shape)
        return (
            input_shape[0],
            -(-rows // self.strides),
            -(-columns // self.strides),
            self.hidden_dim or channels,
        )

    def _value_width(self):
        return self.num_heads * (self.value_dim or 2 * self.key_dim)

    def _heads(self, part, x, training):
        x = self._normed(part, x, training)
        x = ops.reshape(x, (-1, x.shape[1] * x.shape[2], self.num_heads, x.shape[3] // self.num_heads))
        return ops.transpose(x, (0, 2, 1, 3))

    def _normed(self, part, x, training):
        """A dense layer, on a matrix with a row for each place, and its normalization."""
        y = getattr(self, part)(ops.reshape(x, (-1, x.shape[-1])))
        y = ops.reshape(y, (-1, *x.shape[1:-1], y.shape[-1]))
        return getattr(self, f"{part}_norm")(y, training=training)

    def _sizes(self, input_shape):
        if None in input_shape[1:3]:
            raise InputError(
                f"GridAttention {self.name!r} expected a known height and width, received {input_shape}: it "
                "has a weight for each distance. Give them to keras.Input."
            )
        return input_shape[1:]


def grid_distances(rows: int, columns: int, strides: int = 1) -> np.ndarray:
    """Returns which distance in rows and columns each query has to each key, `(num_queries, num_keys)`.

    A distance of `r` rows and `c` columns, in any direction, has the number `r * columns + c`. Queries are at
    every `strides`-th row and column.
    """
    row, column = np.mgrid[:rows, :columns]
    places = np.stack([row, column], axis=-1)
    queries = places[::strides, ::strides].reshape(-1, 1, 2)
    distances = np.abs(queries - places.reshape(1, -1, 2))
    return distances[..., 0] * columns + distances[..., 1]
