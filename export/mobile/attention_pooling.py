"""Attention pooling, whose query is a constant."""

import numpy as np
import tensorflow as tf

from keras_vit.export.mobile.arrays import exact
from keras_vit.export.mobile.dense import dense, product, weights
from keras_vit.export.mobile.encoder_output import EncoderOutput
from keras_vit.export.mobile.layer_norm import layer_norm
from keras_vit.export.mobile.mlp import mlp
from keras_vit.export.mobile.pending import plain
from keras_vit.export.mobile.registry import rewrites
from keras_vit.layers import AttentionPooling


@rewrites(AttentionPooling)
def attention_pooling(layer, x):
    if isinstance(x, EncoderOutput):
        x = x.all_tokens()
    key_value = plain(product(x, *weights(layer.key_value), layer.key_value.path))
    batch, length, width = key_value.shape
    head_dim = width // (2 * layer.num_heads)
    with tf.name_scope(layer.path):
        x = tf.reshape(key_value, (batch, length, 2 * layer.num_heads, head_dim))
        key, value = tf.split(tf.transpose(x, (0, 2, 1, 3)), 2, axis=1)
        query = tf.constant(np.repeat(_query(layer, head_dim), batch, axis=0))
        scores = tf.nn.softmax(tf.matmul(query, key, transpose_b=True))
        pooled = tf.reshape(tf.matmul(scores, value), (batch, width // 2))
    pooled = plain(dense(layer.projection, pooled))
    return pooled + plain(mlp(layer.mlp, layer_norm(layer.norm, pooled)))


def _query(layer, head_dim):
    kernel, bias = weights(layer.query)
    query = (exact(layer.probe) @ kernel + bias) * head_dim**-0.5
    return query.reshape(1, layer.num_heads, 1, head_dim).astype("float32")
