"""Multi-head self-attention with one fused projection."""

from collections.abc import Mapping
from typing import Annotated, Any, Unpack

import keras
import numpy as np
from keras import ops

from keras_vit.constraints import Choices, checked
from keras_vit.errors import InputError
from keras_vit.layers._configured_layer import ConfiguredLayer, build_dense
from keras_vit.layers._layer_seeds import layer_seeds
from keras_vit.layers._masks import merged_mask
from keras_vit.layers._mimetic import MimeticInitializer
from keras_vit.layers._options import Count, DenseLayerOptions, Epsilon, Rate, Seed
from keras_vit.layers._query_value_bias import QueryValueBias
from keras_vit.layers._tokenwise import tokenwise
from keras_vit.layers.rotary_position_embedding import RotaryPositionEmbedding


@keras.saving.register_keras_serializable(package="keras_vit")
class SelfAttention(ConfiguredLayer):
    """Multi-head self-attention; query, key and value come from one dense layer.

    Args:
        num_heads: int, must divide the hidden size.
        qk_norm: bool, normalise queries and keys per head (layer normalisation). Default False.
        qkv_bias: bool, whether query, key and value have a bias.
        key_bias: bool, False leaves the key without one.
        rotary: dict of the arguments of a `RotaryPositionEmbedding` that turns queries and keys, or None.
        inner_norm: bool, layer normalisation of what the heads give, before the last dense layer.
        epsilon: float, of the layer normalisations.
        causal: bool, a query sees only the keys up to its own place, as in a model of text.
        attention_initializer: `"mimetic"`, as trained transformers are (Trockman and Kolter 2023,
            https://arxiv.org/abs/2305.09828), or None: as `kernel_initializer`.
        attention_dropout_rate: float in [0, 1], on the attention scores.
        dropout_rate: float in [0, 1], on the output.
        seed: int or None, of both dropouts.
        **options: of the dense layers, as in Keras: `kernel_initializer`, `bias_initializer`,
            `kernel_regularizer`, `bias_regularizer`.

    Call arguments:
        x: `(batch, length, hidden_dim)`.
        attention_mask: bool, as in `keras.layers.MultiHeadAttention`: `(batch, length, length)` or
            `(length, length)`, the same for all heads; or four axes that broadcast to
            `(batch, num_heads, length, length)`. A query (second to last axis) sees the keys (last axis)
            that are True; at least one each.
        mask: bool, `(batch, length)`, False for tokens that no query sees. Default: the Keras mask of `x`.
        return_attention_scores: bool.

    Returns:
        Like `x`; with `return_attention_scores` also the scores after softmax,
        `(batch, num_heads, length, length)`.

    Raises:
        InputError: `num_heads` does not divide the hidden size; `rotary` does not fit the sequence; a mask of
            another shape.

    Example:
        >>> tuple(SelfAttention(3)(ops.ones((2, 5, 12))).shape)
        (2, 5, 12)

    Reference: Vaswani et al. 2017, section 3.2, https://arxiv.org/abs/1706.03762; qk-norm: Dehghani
        et al. 2023, https://arxiv.org/abs/2302.05442; normalisation inside: Wang et al. 2022,
        https://arxiv.org/abs/2210.06423
    """

    @checked
    def __init__(
        self,
        num_heads: Count,
        qk_norm: bool = False,
        qkv_bias: bool = True,
        key_bias: bool = True,
        rotary: Mapping[str, Any] | None = None,
        inner_norm: bool = False,
        epsilon: Epsilon = 1e-6,
        causal: bool = False,
        attention_initializer: Annotated[str, Choices("mimetic")] | None = None,
        attention_dropout_rate: Rate = 0.0,
        dropout_rate: Rate = 0.0,
        seed: Seed = None,
        **options: Unpack[DenseLayerOptions],
    ) -> None:
        super().__init__(locals())
        seeds = layer_seeds(seed)
        self.qkv = self._dense("qkv", use_bias=qkv_bias and key_bias)
        bias = QueryValueBias if qkv_bias and not key_bias else keras.layers.Identity
        self.query_value_bias = bias(name="query_value_bias", dtype=self.dtype_policy)
        self.norm = self._norm("norm", inner_norm)
        self.projection = self._dense("projection")
        if attention_initializer == "mimetic":
            self.qkv.kernel_initializer = mimetic = MimeticInitializer(num_heads)
            self.projection.kernel_initializer = mimetic.of_projection()
        self.query_norm = self._norm("query_norm", qk_norm)
        self.key_norm = self._norm("key_norm", qk_norm)
        self.rotation = self._rotation()
        self.attention_dropout = self._dropout("attention_dropout", attention_dropout_rate, next(seeds))
        self.dropout = self._dropout("dropout", dropout_rate, next(seeds))

    def build(self, input_shape):
        check_heads(self.num_heads, input_shape[-1])
        hidden_dim, head_dim = input_shape[-1], input_shape[-1] // self.num_heads
        heads_shape = (None, self.num_heads, input_shape[1], head_dim)
        build_dense(self.qkv, hidden_dim, 3 * hidden_dim)
        self.query_value_bias.build((None, None, 3 * hidden_dim))
        self.norm.build((None, hidden_dim))
        build_dense(self.projection, hidden_dim, hidden_dim)
        for layer in (self.query_norm, self.key_norm, self.rotation, self.attention_dropout):
            layer.build(heads_shape)
        self.dropout.build(input_shape)

    def call(
        self,
        x,
        attention_mask=None,
        mask=None,
        x_mask=None,  # where Keras puts the mask of x when attention_mask is given too
        training=False,
        return_attention_scores=False,
    ):
        query, key, value = self._heads(self.query_value_bias(tokenwise(self.qkv, x)))
        query = self.rotation(self.query_norm(query)) * (query.shape[-1] ** -0.5)
        key = self.rotation(self.key_norm(key))
        scores = ops.matmul(query, ops.transpose(key, (0, 1, 3, 2)))
        seen = merged_mask(x, self.num_heads, attention_mask, mask, x_mask)
        if seen is not None:
            scores = ops.where(seen, scores, ops.cast(-1e9, scores.dtype))
        if self.causal:
            scores = ops.where(_causal_mask(_length_and_dim(x)[0]), scores, ops.cast(-1e9, scores.dtype))
        scores = ops.softmax(scores, axis=-1)
        mixed = ops.matmul(self.attention_dropout(scores, training=training), value)
        mixed = ops.transpose(mixed, (0, 2, 1, 3))
        mixed = ops.reshape(mixed, (-1, *_length_and_dim(x)))
        mixed = tokenwise(self.norm, mixed)
        y = self.dropout(tokenwise(self.projection, mixed), training=training)
        return (y, scores) if return_attention_scores else y

    def compute_output_spec(self, x, *masks, return_attention_scores=False, **kwargs):
        output = keras.KerasTensor(x.shape, self.compute_dtype)
        return (output, scores_spec(self, x)) if return_attention_scores else output

    def _heads(self, qkv):
        length, width = _length_and_dim(qkv)
        head_dim = width // (3 * self.num_heads)
        qkv = ops.reshape(qkv, (-1, length, 3, self.num_heads, head_dim))
        return ops.unstack(ops.transpose(qkv, (2, 0, 3, 1, 4)), 3, axis=0)

    def _rotation(self):
        options = {"name": "rotation", "dtype": self.dtype_policy}
        if self.rotary is None:
            return keras.layers.Identity(**options)
        return RotaryPositionEmbedding(**self.rotary, **options)


def check_heads(num_heads, hidden_dim):
    """Raises InputError unless the hidden size can be shared out to the heads."""
    if hidden_dim % num_heads:
        raise InputError(
            f"num_heads must divide the hidden size: received num_heads={num_heads} and "
            f"hidden_dim={hidden_dim}."
        )


def scores_spec(layer, x):
    """Returns a `keras.KerasTensor` for the attention scores of a layer with `num_heads`."""
    batch, length, _ = x.shape
    return keras.KerasTensor((batch, layer.num_heads, length, length), layer.compute_dtype)


def _causal_mask(length):
    """`(length, length)`, True where a key (second axis) is not after the query (first axis)."""
    places = np.arange(length) if isinstance(length, int) else ops.arange(length)
    return places[:, None] >= places[None]


def _length_and_dim(x):
    length = x.shape[1] if x.shape[1] is not None else ops.shape(x)[1]
    return length, x.shape[-1]
