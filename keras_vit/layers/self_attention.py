"""Multi-head self-attention with one fused projection."""

import keras
import numpy as np
from keras import ops

from keras_vit.layers._inner_norm import inner_layer_norm
from keras_vit.layers._query_value_bias import QueryValueBias
from keras_vit.layers._tokenwise import tokenwise
from keras_vit.layers.rotary_position_embedding import RotaryPositionEmbedding


@keras.saving.register_keras_serializable(package="keras_vit")
class SelfAttention(keras.layers.Layer):
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
        attention_dropout_rate: float in [0, 1], on the attention scores.
        dropout_rate: float in [0, 1], on the output.
        seed: int or None, of both dropouts.

    Call arguments:
        x: `(batch, length, hidden_dim)`.
        attention_mask: bool, broadcastable to `(batch, num_heads, length, length)`, or None. A query
            (third axis) sees the keys (fourth axis) that are True; at least one each.
        return_attention_scores: bool.

    Returns:
        Like `x`; with `return_attention_scores` also the scores after softmax,
        `(batch, num_heads, length, length)`.

    Raises:
        ValueError: `num_heads` does not divide the hidden size; `rotary` does not fit the sequence.

    Reference: Vaswani et al. 2017, section 3.2, https://arxiv.org/abs/1706.03762; qk-norm: Dehghani
        et al. 2023, https://arxiv.org/abs/2302.05442; normalisation inside: Wang et al. 2022,
        https://arxiv.org/abs/2210.06423
    """

    def __init__(
        self,
        num_heads,
        qk_norm=False,
        qkv_bias=True,
        key_bias=True,
        rotary=None,
        inner_norm=False,
        epsilon=1e-6,
        causal=False,
        attention_dropout_rate=0.0,
        dropout_rate=0.0,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.num_heads = num_heads
        self.qk_norm = qk_norm
        self.qkv_bias = qkv_bias
        self.key_bias = key_bias
        self.rotary = rotary
        self.inner_norm = inner_norm
        self.epsilon = epsilon
        self.causal = causal
        self.attention_dropout_rate = attention_dropout_rate
        self.dropout_rate = dropout_rate
        self.seed = seed

    def build(self, input_shape):
        hidden_dim = input_shape[-1]
        if self.num_heads < 1 or hidden_dim % self.num_heads:
            raise ValueError(
                f"num_heads must divide the hidden size: received num_heads={self.num_heads} and "
                f"hidden_dim={hidden_dim}."
            )
        head_dim = hidden_dim // self.num_heads
        self.qkv = keras.layers.Dense(
            3 * hidden_dim,
            use_bias=self.qkv_bias and self.key_bias,
            name="qkv",
            dtype=self.dtype_policy,
        )
        self.qkv.build((None, hidden_dim))
        has_two = self.qkv_bias and not self.key_bias
        bias = QueryValueBias if has_two else keras.layers.Identity
        self.query_value_bias = bias(name="query_value_bias", dtype=self.dtype_policy)
        self.query_value_bias.build((None, None, 3 * hidden_dim))
        self.norm = inner_layer_norm(self, hidden_dim)
        self.projection = keras.layers.Dense(hidden_dim, name="projection", dtype=self.dtype_policy)
        self.projection.build((None, hidden_dim))
        self.query_norm = self._norm("query_norm", head_dim)
        self.key_norm = self._norm("key_norm", head_dim)
        self.rotation = self._rotation((None, self.num_heads, input_shape[1], head_dim))
        self.attention_dropout = self._dropout("attention_dropout", self.attention_dropout_rate)
        self.dropout = self._dropout("dropout", self.dropout_rate)

    def call(self, x, attention_mask=None, training=False, return_attention_scores=False):
        query, key, value = self._heads(self.query_value_bias(tokenwise(self.qkv, x)))
        query = self.rotation(self.query_norm(query)) * (query.shape[-1] ** -0.5)
        key = self.rotation(self.key_norm(key))
        scores = ops.matmul(query, ops.transpose(key, (0, 1, 3, 2)))
        if attention_mask is not None:
            scores = ops.where(attention_mask, scores, ops.cast(-1e9, scores.dtype))
        if self.causal:
            scores = ops.where(_causal_mask(_length_and_dim(x)[0]), scores, ops.cast(-1e9, scores.dtype))
        scores = ops.softmax(scores, axis=-1)
        mixed = ops.matmul(self.attention_dropout(scores, training=training), value)
        mixed = ops.transpose(mixed, (0, 2, 1, 3))
        mixed = ops.reshape(mixed, (-1, *_length_and_dim(x)))
        mixed = tokenwise(self.norm, mixed)
        y = self.dropout(tokenwise(self.projection, mixed), training=training)
        return (y, scores) if return_attention_scores else y

    def compute_output_shape(self, input_shape):
        return input_shape

    def compute_output_spec(self, x, attention_mask=None, training=False, return_attention_scores=False):
        output = keras.KerasTensor(x.shape, self.compute_dtype)
        return (output, scores_spec(self, x)) if return_attention_scores else output

    def get_config(self):
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "qk_norm": self.qk_norm,
            "qkv_bias": self.qkv_bias,
            "key_bias": self.key_bias,
            "rotary": self.rotary,
            "inner_norm": self.inner_norm,
            "epsilon": self.epsilon,
            "causal": self.causal,
            "attention_dropout_rate": self.attention_dropout_rate,
            "dropout_rate": self.dropout_rate,
            "seed": self.seed,
        }

    def _heads(self, qkv):
        length, width = _length_and_dim(qkv)
        head_dim = width // (3 * self.num_heads)
        qkv = ops.reshape(qkv, (-1, length, 3, self.num_heads, head_dim))
        return ops.unstack(ops.transpose(qkv, (2, 0, 3, 1, 4)), 3, axis=0)

    def _norm(self, name, head_dim):
        if not self.qk_norm:
            return keras.layers.Identity(name=name, dtype=self.dtype_policy)
        norm = keras.layers.LayerNormalization(epsilon=self.epsilon, name=name, dtype=self.dtype_policy)
        norm.build((None, self.num_heads, None, head_dim))
        return norm

    def _rotation(self, shape):
        if self.rotary is None:
            return keras.layers.Identity(name="rotation", dtype=self.dtype_policy)
        rotation = RotaryPositionEmbedding(**self.rotary, name="rotation", dtype=self.dtype_policy)
        rotation.build(shape)
        return rotation

    def _dropout(self, name, rate):
        dropout = keras.layers.Dropout(rate, seed=self.seed, name=name, dtype=self.dtype_policy)
        dropout.build(None)
        return dropout


def scores_spec(layer, x):
    """Returns what a layer with `num_heads` gives for its attention scores, as a `keras.KerasTensor`."""
    batch, length, _ = x.shape
    return keras.KerasTensor((batch, layer.num_heads, length, length), layer.compute_dtype)


def _causal_mask(length):
    """`(length, length)`, True where a key (second axis) is not after the query (first axis)."""
    places = np.arange(length) if isinstance(length, int) else ops.arange(length)
    return places[:, None] >= places[None]


def _length_and_dim(x):
    length = x.shape[1] if x.shape[1] is not None else ops.shape(x)[1]
    return length, x.shape[-1]
