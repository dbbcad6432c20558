"""Layer normalisation, written out so that a delegate runs it and its last two operators fold away."""

import keras
import tensorflow as tf

from keras_vit.export.mobile.arrays import exact
from keras_vit.export.mobile.pending import plain, scaled
from keras_vit.export.mobile.registry import rewrites


@rewrites(keras.layers.LayerNormalization)
def layer_norm(layer, x):
    """Normalises over the last axis; factor and shift are left pending for what comes next."""
    x = plain(x)
    if layer.axis not in (-1, [-1], (-1,), len(x.shape) - 1, [len(x.shape) - 1]) or _is_rms(layer):
        return NotImplemented
    with tf.name_scope(layer.path):
        # Neither SQUARED_DIFFERENCE nor NEG, which 16-bit activations do not have.
        centred = x - tf.reduce_mean(x, axis=-1, keepdims=True)
        variance = tf.reduce_mean(centred * centred, axis=-1, keepdims=True)
        x = centred * tf.math.rsqrt(variance + layer.epsilon)
    scale = exact(layer.gamma) if layer.scale else 1.0
    return scaled(x, scale, exact(layer.beta) if layer.center else 0.0)


def _is_rms(layer):
    return getattr(layer, "rms_scaling", False)
