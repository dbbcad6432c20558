"""The operators of TFLite files in TensorFlow, through which gradients pass.

`OPERATORS[kind](options, *inputs)` returns a tensor or a list of tensors. Constants that decide a shape are
NumPy arrays, so that shapes stay static.
"""

import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema

_ACTIVATIONS = {
    schema.ActivationFunctionType.NONE: lambda x: x,
    schema.ActivationFunctionType.RELU: tf.nn.relu,
    schema.ActivationFunctionType.RELU6: tf.nn.relu6,
    schema.ActivationFunctionType.RELU_N1_TO_1: lambda x: tf.clip_by_value(x, -1.0, 1.0),
    schema.ActivationFunctionType.TANH: tf.nn.tanh,
}
_PADDINGS = {schema.Padding.SAME: "SAME", schema.Padding.VALID: "VALID"}


def _activated(function):
    def compute(options, *inputs):
        return _ACTIVATIONS[options.fusedActivationFunction](function(options, *inputs))

    return compute


@_activated
def _fully_connected(options, x, kernel, bias=None):
    y = tf.matmul(tf.reshape(x, (-1, kernel.shape[1])), kernel, transpose_b=True)
    y = y if bias is None else y + bias
    return tf.reshape(y, (*x.shape[:-1], kernel.shape[0])) if options.keepNumDims else y


@_activated
def _convolution(options, x, kernel, bias):
    strides = (options.strideH, options.strideW)
    dilations = (options.dilationHFactor, options.dilationWFactor)
    kernel = tf.transpose(kernel, (1, 2, 3, 0))
    return tf.nn.conv2d(x, kernel, strides, _PADDINGS[options.padding], dilations=dilations) + bias


@_activated
def _depthwise_convolution(options, x, kernel, bias):
    strides = (1, options.strideH, options.strideW, 1)
    dilations = (options.dilationHFactor, options.dilationWFactor)
    kernel = tf.reshape(kernel, (*kernel.shape[1:3], x.shape[-1], -1))
    return tf.nn.depthwise_conv2d(x, kernel, strides, _PADDINGS[options.padding], dilations=dilations) + bias


def _pooling(pool):
    def compute(options, x):
        size, strides = (options.filterHeight, options.filterWidth), (options.strideH, options.strideW)
        return pool(x, size, strides, _PADDINGS[options.padding])

    return _activated(compute)


def _batch_matmul(options, x, y):
    return tf.matmul(x, y, transpose_a=options.adjX, transpose_b=options.adjY)


def _reduced(reduce):
    return lambda options, x, axes: reduce(x, axis=[int(a) for a in axes.ravel()], keepdims=options.keepDims)


def _strided_slice(options, x, begin, end, strides):
    masks = {"begin_mask": options.beginMask, "end_mask": options.endMask}
    masks |= {"ellipsis_mask": options.ellipsisMask, "new_axis_mask": options.newAxisMask}
    return tf.strided_slice(x, begin, end, strides, shrink_axis_mask=options.shrinkAxisMask, **masks)


OPERATORS = {
    "CAST": lambda options, x: tf.cast(x, "float32"),
    "ADD": _activated(lambda options, x, y: x + y),
    "AVERAGE_POOL_2D": _pooling(tf.nn.avg_pool2d),
    "BATCH_MATMUL": _batch_matmul,
    "CONCATENATION": lambda options, *parts: tf.concat(parts, options.axis),
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise_convolution,
    "DIV": _activated(lambda options, x, y: x / y),
    "EXPAND_DIMS": lambda options, x, axis: tf.expand_dims(x, int(axis)),
    "FULLY_CONNECTED": _fully_connected,
    "GELU": lambda options, x: tf.nn.gelu(x, approximate=options.approximate),
    "HARD_SWISH": lambda options, x: x * tf.nn.relu6(x + 3) / 6,
    "LOGISTIC": lambda options, x: tf.sigmoid(x),
    "MAX_POOL_2D": _pooling(tf.nn.max_pool2d),
    "MEAN": _reduced(tf.reduce_mean),
    "MUL": _activated(lambda options, x, y: x * y),
    "PAD": lambda options, x, paddings: tf.pad(x, paddings),
    "REDUCE_MAX": _reduced(tf.reduce_max),
    "RELU": lambda options, x: tf.nn.relu(x),
    "RELU6": lambda options, x: tf.nn.relu6(x),
    "RESHAPE": lambda options, x, shape=None: tf.reshape(x, options.newShape if shape is None else shape),
    "RSQRT": lambda options, x: tf.math.rsqrt(x),
    "SLICE": lambda options, x, begin, size: tf.slice(x, begin, size),
    "SOFTMAX": lambda options, x: tf.nn.softmax(options.beta * x),
    "SPLIT": lambda options, axis, x: tf.split(x, options.numSplits, axis=int(axis)),
    "SQRT": lambda options, x: tf.sqrt(x),
    "SQUEEZE": lambda options, x: tf.squeeze(x, [int(axis) for axis in options.squeezeDims]),
    "STRIDED_SLICE": _strided_slice,
    "SUB": _activated(lambda options, x, y: x - y),
    "SUM": _reduced(tf.reduce_sum),
    "TANH": lambda options, x: tf.tanh(x),
    "TRANSPOSE": lambda options, x, axes: tf.transpose(x, axes),
}
