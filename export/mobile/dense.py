"""Dense layers, and the MLP."""

import keras
import tensorflow as tf

from keras_vit.export.mobile.normalization import layer_norm
from keras_vit.export.mobile.pending import Product, as_float64, fold, materialize, multiply
from keras_vit.export.mobile.registry import handles
from keras_vit.layers import MLP

MLP_OPTIONS = ("mlp_dim", "activation", "inner_norm", "epsilon")
_MLP_ACTIVATIONS = {
    "gelu": tf.nn.gelu,
    "gelu_tanh": lambda x: tf.nn.gelu(x, approximate=True),
    "quick_gelu": lambda x: x * tf.sigmoid(1.702 * x),
    "swiglu": lambda x: _swiglu(*parts(x, 2, axis=len(x.shape) - 1)),
}


@handles(keras.layers.Dense, options=("units", "activation", "use_bias"))
def dense(layer, x):
    return activate(layer, product(x, *weights(layer), layer.path))


@handles(MLP, options=MLP_OPTIONS)
def mlp(layer, x):
    x = materialize(dense(layer.expansion, x))
    with tf.name_scope(layer.path):
        x = _MLP_ACTIVATIONS.get(layer.activation, layer.activation)(x)  # or a function
    return dense(layer.projection, layer_norm(layer.norm, x) if layer.inner_norm else x)


def _swiglu(gate, value):
    return tf.nn.silu(gate) * value


def parts(x: tf.Tensor, count: int, axis: int) -> list[tf.Tensor]:
    """Returns `count` tensors, which are the equal parts of `x` along an axis from 0 on, as slices.

    One SPLIT would be right on the CPU and as fast, but LiteRT's GPU delegate computes wrong parts of it in
    some graphs (docs/results/gpu.md).
    """
    sizes = [-1 if size is None else size for size in x.shape]  # -1: all of it
    sizes[axis] //= count
    starts = ([i * sizes[axis] if each == axis else 0 for each in range(len(sizes))] for i in range(count))
    return [tf.slice(x, start, sizes) for start in starts]


def weights(layer):
    """Returns kernel and bias of a dense or convolution layer as float64; a bias of 0 if it has none."""
    return as_float64(layer.kernel), as_float64(layer.bias) if layer.use_bias else 0.0


def activate(layer, y):
    """Applies a layer's `activation`; a pending value stays pending if it is linear."""
    if layer.activation is keras.activations.linear:
        return y
    y = materialize(y)
    with tf.name_scope(layer.path):
        return layer.activation(y)


def product(x, kernel, bias, name):
    """Returns `x @ kernel + bias` as a pending value; operators in the file are called `name`.

    `x` is `(..., inputs)`, the kernel `(inputs, units)`, the bias `(units,)` or 0.
    """
    x, kernel, bias = fold(x, kernel, bias, summed=0)

    def apply(kernel, bias):
        with tf.name_scope(name):
            return multiply(x, kernel, bias)

    return Product(apply, kernel, bias)
