"""Self-attention with one transposition for queries, keys and values."""

import numpy as np
import tensorflow as tf

from keras_vit.export.mobile.arrays import exact
from keras_vit.export.mobile.dense import dense, product, weights
from keras_vit.export.mobile.layer_norm import layer_norm
from keras_vit.export.mobile.pending import plain, scaled
from keras_vit.export.mobile.registry import rewrites
from keras_vit.export.mobile.rotary_position_embedding import rotated
from keras_vit.layers import SelfAttention


@rewrites(SelfAttention)
def self_attention(layer, x):
    mixed, _ = attention(layer, x, x)
    return mixed


def attention(layer, x, queried):
    """Lets some tokens attend to all.

    Args:
        layer: `SelfAttention`.
        x: `(batch, length, hidden_dim)`, a tensor or a pending value.
        queried: the tokens that ask, `(batch, num_queries, hidden_dim)`; `x` itself for all.

    Returns:
        The tokens' values mixed, as a pending value, and the scores after softmax
        `(batch, num_heads, num_queries, length)`.
    """
    kernel, bias = _qkv_weights(layer)
    hidden_dim = kernel.shape[0]
    factor = np.ones(3 * hidden_dim)
    if not layer.qk_norm:
        factor[:hidden_dim] = (hidden_dim // layer.num_heads) ** -0.5
    kernel, bias = kernel * factor, bias * factor
    if queried is x:
        query, key, value = _heads(layer, x, kernel, bias, 3)
    else:
        (query,) = _heads(layer, queried, kernel[:, :hidden_dim], bias[:hidden_dim], 1)
        key, value = _heads(layer, x, kernel[:, hidden_dim:], bias[hidden_dim:], 2)
    query, key = _normalised(layer, query, key)
    with tf.name_scope(layer.path):
        if layer.rotary:
            query, key = rotated(layer.rotation, query), rotated(layer.rotation, key)
        scores = tf.matmul(query, key, transpose_b=True)
        if layer.causal:
            scores += _unseen(query.shape[2], key.shape[2])
        scores = tf.nn.softmax(scores)
        mixed = tf.transpose(tf.matmul(scores, value), (0, 2, 1, 3))
        batch, length, *_ = mixed.shape
        mixed = tf.reshape(mixed, (batch, length, hidden_dim))
    mixed = layer_norm(layer.norm, mixed) if layer.inner_norm else mixed
    return dense(layer.projection, mixed), scores


def _qkv_weights(layer):
    kernel, bias = weights(layer.qkv)
    if layer.qkv_bias and not layer.key_bias:
        query, value = np.split(exact(layer.query_value_bias.bias), 2)
        bias = np.concatenate([query, np.zeros_like(query), value])
    return kernel, bias


def _heads(layer, x, kernel, bias, count):
    """Returns `count` tensors `(batch, num_heads, length, head_dim)`."""
    x = plain(product(x, kernel, bias, layer.qkv.path))
    batch, length, width = x.shape
    heads = count * layer.num_heads
    x = tf.transpose(tf.reshape(x, (batch, length, heads, width // heads)), (0, 2, 1, 3))
    return tf.split(x, count, axis=1) if count > 1 else (x,)


def _unseen(num_queries, length):
    """What is added to scores: 0 where a key is not after the query, else far below any score."""
    return np.where(np.tri(num_queries, length, dtype=bool), 0, -1e9).astype("float32")


def _normalised(layer, query, key):
    if not layer.qk_norm:
        return query, key
    query = scaled(layer_norm(layer.query_norm, query), query.shape[-1] ** -0.5, 0.0)
    return plain(query), plain(layer_norm(layer.key_norm, key))
