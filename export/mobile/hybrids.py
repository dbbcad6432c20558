"""The layers of mobile models: attention on a grid, and convolutions that have branches in training."""

import keras
import tensorflow as tf

from keras_vit.export.mobile.attention import merge_heads, split_heads
from keras_vit.export.mobile.convolution import depthwise, every
from keras_vit.export.mobile.dense import product, weights
from keras_vit.export.mobile.normalization import batch_norm, scale_and_shift
from keras_vit.export.mobile.pending import as_float64, constant, materialize, scaled
from keras_vit.export.mobile.registry import handles
from keras_vit.layers import GridAttention, ReparametrizedDepthwise

GRID_OPTIONS = (
    "num_heads", "key_dim", "value_dim", "hidden_dim", "strides", "activation", "gamma_initializer"
)  # fmt: skip


@handles(GridAttention, options=GRID_OPTIONS)
def grid_attention(layer, x):
    x = materialize(x)
    queried = every(every(x, 1, layer.strides), 2, layer.strides)
    scale = layer.key_dim**-0.5
    query, key, value = (
        split_heads(_tokens(materialize(_normed(layer, part, inputs, factor))), layer.num_heads, 1)[0]
        for part, inputs, factor in (("query", queried, scale), ("key", x, 1.0), ("value", x, 1.0))
    )
    with tf.name_scope(layer.path):
        scores = tf.matmul(query, key, transpose_b=True)
        scores = tf.nn.softmax(scores + constant(as_float64(layer.attention_bias)[None, :, layer.distances]))
        mixed = merge_heads(tf.matmul(scores, value))
        mixed = tf.reshape(mixed, (*queried.shape[:3], mixed.shape[-1]))
        mixed = activation(keras.activations.get(layer.activation), mixed)
    return _normed(layer, "projection", mixed, 1.0)


def _normed(layer, part, x, factor):
    """A dense layer, with its normalization and a factor folded into the weights."""
    dense = getattr(layer, part)
    y = product(x, *weights(dense), dense.path)
    return scaled(batch_norm(getattr(layer, f"{part}_norm"), y), factor)


def _tokens(x):
    batch, rows, columns, width = x.shape
    return tf.reshape(x, (batch, rows * columns, width))


def activation(function, x):
    """Applies an activation; the hard swish in the form that the converter makes one operator of."""
    if function is keras.activations.hard_silu:
        return x * tf.nn.relu6(x + 3.0) * (1 / 6)
    return function(x)


@handles(keras.layers.Activation)
def activation_layer(layer, x):
    return activation(layer.activation, materialize(x))


@handles(ReparametrizedDepthwise, options=("kernel_size", "depthwise_initializer"))
def reparametrized_depthwise(layer, x):
    """One convolution: the kernels of all branches are added, the shortcuts in the centre."""
    kernel, (scale, shift) = as_float64(layer.convolution.kernel), scale_and_shift(layer.convolution_norm)
    kernel = kernel * scale[:, None]
    centre = layer.kernel_size // 2
    kernel[centre, centre] += as_float64(layer.pointwise.kernel)[0, 0] + 1
    y = depthwise(layer.convolution, x, kernel, shift + as_float64(layer.pointwise.bias))
    return batch_norm(layer.norm, y)
