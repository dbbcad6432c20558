"""Layers that end in a scale and a shift per channel, which stay pending."""

import math

import keras
import numpy as np
import tensorflow as tf

from keras_vit.export.mobile.pending import Rotated, as_float64, materialize, scaled
from keras_vit.export.mobile.registry import handles
from keras_vit.layers import LayerScale


@handles(keras.layers.Rescaling)
def rescaling(layer, x):
    return scaled(x, layer.scale, layer.offset)


@handles(LayerScale)
def layer_scale(layer, x):
    return scaled(x, layer.gamma)


@handles(keras.layers.BatchNormalization)
def batch_norm(layer, x):
    if layer.axis not in (-1, 3):  # images with channels last
        return NotImplemented
    return scaled(x, *scale_and_shift(layer))


def scale_and_shift(layer):
    """Returns the factor and the addend of each channel that a batch normalization has at inference."""
    gamma, beta = _gamma_and_beta(layer)
    scale = gamma / np.sqrt(as_float64(layer.moving_variance) + layer.epsilon)
    return scale, beta - as_float64(layer.moving_mean) * scale


@handles(keras.layers.LayerNormalization, options=("axis", "epsilon", "center", "scale"))
def layer_norm(layer, x):
    """Normalizes over the last axis, in operators that a delegate runs."""
    x = materialize(x)
    last = len(x.shape) - 1
    if layer.axis not in (-1, [-1], (-1,), last, [last]):
        return NotImplemented
    with tf.name_scope(layer.path):
        # Neither SQUARED_DIFFERENCE nor NEG, which do not exist for 16-bit activations. What computes in
        # float16 takes the mean of squares in one step, in float32: values of 3000 do not overflow. A factor
        # before the square would lose small variances, and the epsilon with them.
        centered = x - tf.reduce_mean(x, axis=-1, keepdims=True)
        variance = tf.reduce_mean(centered * centered, axis=-1, keepdims=True)
        x = centered * tf.math.rsqrt(variance + layer.epsilon)
    return scaled(x, *_gamma_and_beta(layer))


@handles(keras.layers.UnitNormalization, options=("axis",))
def unit_norm(layer, x):
    """Divides by the norm, and leaves zeros.

    Keras takes the inverse of 0 first, which XNNPACK computes as NaN; a least norm is 0 in a float16 file.
    The mean of squares fits into float16 where their sum does not. One vector for each item, an embedding, is
    first divided by its largest value, so that it fits at any length; for many this takes 1.7 times as long.
    """
    x = materialize(x)
    axes = layer.axis if isinstance(layer.axis, (list, tuple)) else [layer.axis]
    length = math.prod(x.shape[axis] for axis in axes)
    with tf.name_scope(layer.name):
        if length == math.prod(x.shape):
            largest = tf.reduce_max(tf.abs(x), axis=axes, keepdims=True)
            inverse = tf.math.rsqrt(
                largest + _one_for_zero(largest)
            )  # of the root: DIV has no 16-bit integers
            x = x * inverse * inverse
        squares = tf.reduce_mean(x * x, axis=axes, keepdims=True)
        return x * tf.math.rsqrt(squares + _one_for_zero(squares)) * length**-0.5


def _one_for_zero(x):
    return tf.cast(tf.equal(x, 0), x.dtype)


def rotated_layer_norm(layer, x, rotation):
    """Normalizes tokens that are kept without their mean and rotated; returns the usual ones, `Rotated`."""
    with tf.name_scope(layer.path):
        x = x * tf.math.rsqrt(tf.reduce_mean(x * x, axis=-1, keepdims=True) + layer.epsilon)
    gamma, beta = _gamma_and_beta(layer)
    return Rotated(x, rotation.T * gamma, np.broadcast_to(beta, x.shape[-1:]))


def _gamma_and_beta(layer):
    return (
        as_float64(layer.gamma) if layer.scale else 1.0,
        as_float64(layer.beta) if layer.center else 0.0,
    )
