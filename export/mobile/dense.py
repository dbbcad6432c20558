"""Dense layers, on the rows of a matrix."""

import keras
import numpy as np
import tensorflow as tf

from keras_vit.export.mobile.arrays import exact
from keras_vit.export.mobile.pending import Linear, Scaled, plain
from keras_vit.export.mobile.registry import rewrites


@rewrites(keras.layers.Dense)
def dense(layer, x):
    """A dense layer; takes the factor and the shift before it into its kernel and bias."""
    if layer.quantization_mode is not None or layer.lora_enabled:
        return NotImplemented
    y = product(x, *weights(layer), layer.path)
    return y if layer.activation is keras.activations.linear else layer.activation(plain(y))


def weights(layer):
    """Returns kernel and bias of a dense layer; a bias of zeros where it has none."""
    kernel = exact(layer.kernel)
    return kernel, exact(layer.bias) if layer.use_bias else np.zeros(kernel.shape[-1])


def product(x, kernel, bias, name):
    """Returns `x @ kernel + bias` as a pending value.

    Args:
        x: `(..., inputs)`, a tensor or a pending value.
        kernel: array `(inputs, units)`.
        bias: array `(units,)`.
        name: str, what the operator is called in the file.
    """
    if isinstance(x, Scaled):
        bias = bias + np.broadcast_to(x.shift, kernel.shape[:1]) @ kernel
        kernel = np.broadcast_to(x.scale, kernel.shape[:1])[:, None] * kernel
        x = x.x
    x = plain(x)

    def apply(kernel, bias):
        with tf.name_scope(name):
            y = tf.matmul(tf.reshape(x, (-1, x.shape[-1])), kernel)
            y = tf.nn.bias_add(y, bias) if np.any(bias) else y
            return tf.reshape(y, (*x.shape[:-1], y.shape[-1]))

    return Linear(apply, kernel, bias)
