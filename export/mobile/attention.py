"""Self-attention with one transposition for queries, keys and values, and attention pooling."""

import numpy as np
import tensorflow as tf

from keras_vit.export.mobile.dense import MLP_OPTIONS, dense, mlp, parts, product, weights
from keras_vit.export.mobile.normalization import layer_norm
from keras_vit.export.mobile.pending import (
    EncoderOutput,
    as_float64,
    constant,
    materialize,
    scaled,
)
from keras_vit.export.mobile.registry import handles
from keras_vit.export.mobile.rotation import balanced, with_changed_values
from keras_vit.layers import AttentionPooling, RotaryPositionEmbedding, SelfAttention

ATTENTION_OPTIONS = (
    "num_heads", "qk_norm", "qkv_bias", "key_bias", "rotary", "inner_norm", "epsilon", "causal",
)  # fmt: skip


@handles(SelfAttention, options=ATTENTION_OPTIONS)
def self_attention(layer, x):
    return attention(layer, x, x)[0]


def attention(layer, x, queried):
    """Computes self-attention between tokens `x` and those of them that queries come from (`x` itself: all).

    Returns the pending output for the queried tokens, and the scores after softmax
    `(batch, num_heads, num_queries, length)`.
    """
    kernel, bias, restored = _qkv_weights(layer)
    hidden_dim = kernel.shape[0]
    if queried is x:
        query, key, value = _heads(layer, x, kernel, bias, 3)
    else:
        (query,) = _heads(layer, queried, kernel[:, :hidden_dim], bias[:hidden_dim], 1)
        key, value = _heads(layer, x, kernel[:, hidden_dim:], bias[hidden_dim:], 2)
    if layer.qk_norm:
        query = materialize(scaled(layer_norm(layer.query_norm, query), query.shape[-1] ** -0.5))
        key = materialize(layer_norm(layer.key_norm, key))
    with tf.name_scope(layer.path):
        if layer.rotary:
            query, key = rotate(layer.rotation, query), rotate(layer.rotation, key)
        scores = tf.matmul(query, key, transpose_b=True)
        if layer.causal:
            scores += _causal_bias(query.shape[2], key.shape[2])
        scores = tf.nn.softmax(scores)
        mixed = merge_heads(tf.matmul(scores, value))
    mixed = layer_norm(layer.norm, mixed) if layer.inner_norm else restored(mixed)
    return dense(layer.projection, mixed), scores


def _qkv_weights(layer):
    """Kernel `(hidden_dim, 3 * hidden_dim)` and bias, changed, and a function that restores mixed values."""
    kernel, bias = weights(layer.qkv)
    if layer.qkv_bias and not layer.key_bias:
        query, value = np.split(as_float64(layer.query_value_bias.bias), 2)
        bias = np.concatenate([query, np.zeros_like(query), value])
    hidden_dim = kernel.shape[0]
    scale = np.ones(3 * hidden_dim)
    if not layer.qk_norm:
        scale[:hidden_dim] = (hidden_dim // layer.num_heads) ** -0.5
    kernel, bias = kernel * scale, np.broadcast_to(bias * scale, 3 * hidden_dim)
    if not layer.qk_norm:
        kernel, bias = balanced(kernel, bias, layer.num_heads, drop_key_bias=not layer.rotary)
    return (kernel, bias, None) if layer.inner_norm else with_changed_values(kernel, bias, layer.num_heads)


def _heads(layer, x, kernel, bias, count):
    """Returns `count` tensors `(batch, num_heads, length, head_dim)`."""
    return split_heads(materialize(product(x, kernel, bias, layer.qkv.path)), layer.num_heads, count)


def split_heads(x, num_heads, count):
    """Splits `(batch, length, width)` into `count` tensors `(batch, num_heads, length, head_dim)`."""
    batch, length, width = x.shape
    heads = count * num_heads
    x = tf.transpose(tf.reshape(x, (batch, length, heads, width // heads)), (0, 2, 1, 3))
    return parts(x, count, axis=1) if count > 1 else [x]


def merge_heads(x):
    """Returns `(batch, num_heads, length, head_dim)` as `(batch, length, hidden_dim)`."""
    batch, num_heads, length, head_dim = x.shape
    return tf.reshape(tf.transpose(x, (0, 2, 1, 3)), (batch, length, num_heads * head_dim))


def _causal_bias(num_queries, length):
    """An addend of the scores: 0 if the key is not after the query, else far below any score."""
    far_below = -3e4  # which float16 holds
    return np.where(np.tri(num_queries, length, dtype=bool), 0, far_below).astype("float32")


@handles(RotaryPositionEmbedding)
def rotary_position_embedding(layer, x):
    return rotate(layer, materialize(x))


def rotate(layer, x):
    """Rotates queries or keys, of all tokens or of the first ones, with sines and cosines as constants."""
    cosine, sine = (table[None, None, : x.shape[2]] for table in (layer.cosine, layer.sine))
    if not np.any(sine):  # prefix tokens, which are not rotated
        return x
    first, second = parts(x, 2, axis=3)
    return x * cosine + tf.concat([second, first], axis=-1) * sine


@handles(AttentionPooling, options=("num_heads", *MLP_OPTIONS))
def attention_pooling(layer, x):
    x = x.all_tokens() if isinstance(x, EncoderOutput) else x
    kernel, bias = weights(layer.key_value)
    bias = np.broadcast_to(bias, kernel.shape[1])
    kernel, bias, restored = with_changed_values(kernel, bias, layer.num_heads)
    key_value = materialize(product(x, kernel, bias, layer.key_value.path))
    with tf.name_scope(layer.path):
        key, value = split_heads(key_value, layer.num_heads, 2)
        query = constant(np.repeat(_probe_query(layer), key.shape[0], axis=0))
        scores = tf.nn.softmax(tf.matmul(query, key, transpose_b=True))
        pooled = tf.reshape(tf.matmul(scores, value), (key.shape[0], -1))
    pooled = materialize(dense(layer.projection, restored(pooled)))
    return pooled + materialize(mlp(layer.mlp, layer_norm(layer.norm, pooled)))


def _probe_query(layer):
    """The query `(1, num_heads, 1, head_dim)`, which does not depend on the image."""
    kernel, bias = weights(layer.query)
    head_dim = kernel.shape[1] // layer.num_heads
    query = (as_float64(layer.probe) @ kernel + bias) * head_dim**-0.5
    return query.reshape(1, layer.num_heads, 1, head_dim)
