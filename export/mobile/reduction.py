"""Layers that make fewer tokens of many, which treat all channels equally."""

import tensorflow as tf

from keras_vit.export.mobile.dense import product
from keras_vit.export.mobile.normalization import layer_norm
from keras_vit.export.mobile.pending import as_float64, keep_scale, materialize
from keras_vit.export.mobile.registry import handles
from keras_vit.layers import GridPooling, PatchMerger


@handles(PatchMerger, options=("num_tokens", "num_prefix_tokens", "epsilon"))
def patch_merger(layer, x):
    return reduced(layer, materialize(x), layer_norm)


@handles(GridPooling, options=("grid_size", "num_prefix_tokens"))
def grid_pooling(layer, x):
    return keep_scale(lambda tokens: reduced(layer, tokens, None), x)


def reduced(layer, x, norm):
    """Returns the tokens that a `PatchMerger` or `GridPooling` makes of `(batch, length, hidden_dim)`.

    `norm(layer, x)` computes the merger's normalization of tokens in the form that `x` has. Means of tokens
    are the same in any base of the channels.
    """
    prefix = layer.num_prefix_tokens
    kept, patches = (x[:, :prefix], x[:, prefix:]) if prefix else (None, x)
    y = _pooled(layer, patches) if isinstance(layer, GridPooling) else _merged(layer, patches, norm)
    return tf.concat([kept, y], axis=1) if prefix else y


def _merged(layer, x, norm):
    scores = materialize(product(norm(layer.norm, x), as_float64(layer.queries).T, 0.0, layer.path))
    with tf.name_scope(layer.path):
        scores = tf.nn.softmax(tf.transpose(scores, (0, 2, 1)))
        return tf.matmul(scores, x)


def _pooled(layer, x):
    (batch, _, hidden_dim), (rows, columns) = x.shape, layer.grid_size
    with tf.name_scope(layer.path):
        x = tf.nn.avg_pool2d(tf.reshape(x, (batch, rows, columns, hidden_dim)), 2, 2, "VALID")
        return tf.reshape(x, (batch, rows * columns // 4, hidden_dim))
