"""Convolutions, which fold batch normalization into their weights, and pooling over windows."""

import math

import keras
import numpy as np
import tensorflow as tf

from keras_vit.export.mobile.dense import activate, weights
from keras_vit.export.mobile.pending import Linear, Scaled, fold, materialize
from keras_vit.export.mobile.registry import handles


@handles(keras.layers.Conv2D)
def convolution(layer, x):
    if layer.groups != 1 or layer.data_format != "channels_last":
        return NotImplemented
    x, kernel, bias = _fold(layer, x, *weights(layer), summed=(0, 1, 2))

    def apply(kernel, bias):
        with tf.name_scope(layer.path):
            y = tf.nn.conv2d(x, kernel, layer.strides, layer.padding.upper(), dilations=layer.dilation_rate)
            return tf.nn.bias_add(y, bias)

    return activate(layer, Linear(apply, kernel, bias))


@handles(keras.layers.DepthwiseConv2D)
def depthwise_convolution(layer, x):
    if layer.data_format != "channels_last":
        return NotImplemented
    return activate(layer, depthwise(layer, x, *weights(layer)))


def depthwise(layer, x, kernel, bias):
    """Returns the pending result of a depthwise layer with a kernel `(height, width, inputs, multiplier)`."""
    x, kernel, bias = _fold(layer, x, kernel, bias, summed=(0, 1))
    shape, strides, padding = kernel.shape, (1, *layer.strides, 1), layer.padding.upper()

    def apply(kernel, bias):
        with tf.name_scope(layer.path):
            kernel = kernel.reshape(shape)
            y = tf.nn.depthwise_conv2d(x, kernel, strides, padding, dilations=layer.dilation_rate)
            return tf.nn.bias_add(y, bias)

    return Linear(apply, kernel.reshape(*shape[:2], -1), bias)


def _fold(layer, x, kernel, bias, summed):
    """Folds a pending scale and shift, but no shift where images are padded: the border is not shifted."""
    if isinstance(x, Scaled) and layer.padding != "valid" and np.any(x.shift):
        x = materialize(x)
    return fold(x, kernel, bias, summed)


@handles(keras.layers.MaxPooling2D, keras.layers.AveragePooling2D)
def pooling(layer, x):
    x = materialize(x)
    if layer.pool_size != (1, 1) or layer.data_format != "channels_last":
        return layer(x)
    for axis, stride in enumerate(layer.strides, start=1):
        x = every(x, axis, stride)
    return x


def every(x, axis, stride):
    """Every `stride`-th row or column: the pooling of a residual network's shortcut.

    XNNPACK runs neither windows of one pixel nor slices with a stride, but a reshape and a slice.
    """
    if stride == 1:
        return x
    before, length, after = x.shape[:axis], x.shape[axis], x.shape[axis + 1 :]
    if length % stride:
        x = tf.pad(x, [(0, -length % stride if i == axis else 0) for i in range(len(x.shape))])
    count = x.shape[axis] // stride
    x = tf.reshape(x, (math.prod(before) * count, stride, *after))  # of four axes at most, as GPUs need it
    x = tf.slice(x, [0] * len(x.shape), [x.shape[0], 1, *after])
    return tf.reshape(x, (*before, count, *after))
