"""Convolutions over images, which take the batch normalisation behind them into their weights."""

import keras
import numpy as np
import tensorflow as tf

from keras_vit.export.mobile.arrays import exact
from keras_vit.export.mobile.pending import Linear, Scaled, plain
from keras_vit.export.mobile.registry import rewrites


@rewrites(keras.layers.Conv2D)
def convolution(layer, x):
    if layer.groups != 1 or layer.data_format != "channels_last":
        return NotImplemented
    kernel, bias = exact(layer.kernel), _bias(layer)
    x, kernel, bias = _take_in(layer, x, kernel, bias, outputs=lambda k: k.sum(axis=(0, 1, 2)))

    def apply(kernel, bias):
        with tf.name_scope(layer.path):
            y = tf.nn.conv2d(x, kernel, layer.strides, layer.padding.upper(), dilations=layer.dilation_rate)
            return tf.nn.bias_add(y, bias)

    return _activated(layer, Linear(apply, kernel, bias))


@rewrites(keras.layers.DepthwiseConv2D)
def depthwise_convolution(layer, x):
    if layer.data_format != "channels_last":
        return NotImplemented
    kernel, bias = exact(layer.kernel), _bias(layer)
    x, kernel, bias = _take_in(layer, x, kernel, bias, outputs=lambda k: k.sum(axis=(0, 1)).ravel())
    shape = kernel.shape  # (height, width, inputs, multiplier)
    strides, padding = (1, *layer.strides, 1), layer.padding.upper()

    def apply(kernel, bias):
        with tf.name_scope(layer.path):
            kernel = kernel.reshape(shape)
            y = tf.nn.depthwise_conv2d(x, kernel, strides, padding, dilations=layer.dilation_rate)
            return tf.nn.bias_add(y, bias)

    return _activated(layer, Linear(apply, kernel.reshape(*shape[:2], -1), bias))


def _bias(layer):
    return exact(layer.bias) if layer.use_bias else 0.0


def _take_in(layer, x, kernel, bias, outputs):
    """Takes a pending factor and shift into the weights.

    Not a shift where the image is padded: the border's zeros stand for the shifted image.
    """
    if not isinstance(x, Scaled) or (layer.padding != "valid" and np.any(x.shift)):
        return plain(x), kernel, bias
    channels = kernel.shape[2:3]
    scale, shift = (np.broadcast_to(v, channels)[:, None] for v in (x.scale, x.shift))
    return x.x, kernel * scale, bias + outputs(kernel * shift)


def _activated(layer, y):
    return y if layer.activation is keras.activations.linear else layer.activation(plain(y))
