"""Pooling over windows."""

import keras
import tensorflow as tf

from keras_vit.export.mobile.pending import plain
from keras_vit.export.mobile.registry import rewrites


@rewrites(keras.layers.MaxPooling2D, keras.layers.AveragePooling2D)
def pooling(layer, x):
    x = plain(x)
    if layer.pool_size != (1, 1) or layer.data_format != "channels_last":
        return layer(x)
    for axis, stride in enumerate(layer.strides, start=1):
        x = _every(x, axis, stride)
    return x


def _every(x, axis, stride):
    """Every `stride`-th row or column: the pooling of a residual network's shortcut.

    XNNPACK takes neither windows of one pixel nor slices with a stride, but a reshape and a slice.
    """
    if stride == 1:
        return x
    before, length, after = x.shape[:axis], x.shape[axis], x.shape[axis + 1 :]
    if length % stride:
        x = tf.pad(x, [(0, -length % stride if i == axis else 0) for i in range(len(x.shape))])
    x = tf.reshape(x, (*before, -1, stride, *after))
    x = tf.slice(x, [0] * len(x.shape), [*x.shape[: axis + 1], 1, *after])
    return tf.reshape(x, (*before, x.shape[axis], *after))
