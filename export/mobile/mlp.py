"""The feed-forward network."""

import tensorflow as tf

from keras_vit.export.mobile.dense import dense
from keras_vit.export.mobile.layer_norm import layer_norm
from keras_vit.export.mobile.pending import plain
from keras_vit.export.mobile.registry import rewrites
from keras_vit.layers import MLP


@rewrites(MLP)
def mlp(layer, x):
    x = _activated(layer, plain(dense(layer.expansion, x)))
    return dense(layer.projection, layer_norm(layer.norm, x) if layer.inner_norm else x)


def _activated(layer, x):
    with tf.name_scope(layer.path):
        if layer.activation == "swiglu":
            gate, value = tf.split(x, 2, axis=-1)
            return tf.nn.silu(gate) * value
        if layer.activation == "quick_gelu":
            return x * tf.sigmoid(1.702 * x)
        return tf.nn.gelu(x, approximate=layer.activation == "gelu_tanh")
