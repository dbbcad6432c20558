"""Pending values: computations delayed until the next layer can fold them into its weights.

- `Scaled`: a tensor whose scale and shift per channel are not applied yet, as after a layer normalization,
- `Rotated`: a tensor whose channels are still to be multiplied by a matrix, as after a rotation,
- `Linear`: a matrix product or convolution that is not computed yet, into which a following scale is folded,
- `Tokens`: tokens into whose weights a following matrix is folded, as from an embedding,
- `EncoderOutput`: the tokens of an encoder, whose last block waits until it is known which of them are read.
"""

import dataclasses
from collections.abc import Callable

import numpy as np
import tensorflow as tf


def as_float64(value):
    """Returns a variable, array or number as a float64 array: weights are combined in it and rounded once."""
    with tf.init_scope():  # also while a graph is traced
        return np.asarray(value, "float64")


def constant(value):
    """Returns a variable, array or number as a float32 constant of the graph."""
    return tf.constant(as_float64(value).astype("float32"))


def materialize(x):
    """Returns a tensor: computes a pending value, returns anything else unchanged."""
    return x.materialize() if hasattr(x, "materialize") else x


def is_pending(x):
    """Returns whether a value is a computation rather than a tensor."""
    return hasattr(x, "materialize")


def scaled(x, scale, shift=0.0):
    """Applies a scale and a shift per channel (arrays or numbers) to a tensor or a pending value."""
    return x.scaled(scale, shift) if hasattr(x, "scaled") else Scaled(x, as_float64(scale), as_float64(shift))


def mapped(x, matrix):
    """Returns the tensor `x @ matrix`; a matrix of None is none. It costs nothing where it can be folded."""
    if matrix is None:
        return materialize(x)
    return x.mapped(matrix) if hasattr(x, "mapped") else multiply(materialize(x), matrix)


def multiply(x, kernel, bias=0.0):
    """Returns `x @ kernel + bias`, which keeps the axes of `x`.

    A product of two axes, reshaped before and after, has the same speed, but the converter then adds the one
    of two axes to tokens of three, which GPU delegates compute wrongly (docs/results/gpu.md).
    """
    y = tf.matmul(x, kernel.astype("float32"))
    return tf.nn.bias_add(y, bias.astype("float32")) if np.any(bias) else y


def keep_scale(function, x):
    """Applies a function that treats all channels equally; a `Scaled` or `Rotated` stays pending."""
    if isinstance(x, Scaled | Rotated):
        return dataclasses.replace(x, x=function(x.x))
    return function(materialize(x))


def fold(x, kernel, bias, summed):
    """Folds what is pending of an input into a kernel `(..., inputs, units)` and its bias or 0.

    `summed` are the kernel's axes that are summed for one output. Returns a tensor and the weights that give
    the same result for it.
    """
    if isinstance(x, Rotated) and kernel.ndim == 2:
        return x.x, x.matrix @ kernel, bias + x.shift @ kernel
    if not isinstance(x, Scaled):
        return materialize(x), kernel, bias
    scale, shift = (np.broadcast_to(value, kernel.shape[-2:-1])[:, None] for value in (x.scale, x.shift))
    return x.x, kernel * scale, bias + (kernel * shift).sum(axis=summed).ravel()


@dataclasses.dataclass(frozen=True)
class Scaled:
    """`x * scale + shift` over the last axis, not computed yet."""

    x: tf.Tensor
    scale: np.ndarray
    shift: np.ndarray

    def scaled(self, scale, shift):
        scale = as_float64(scale)
        return Scaled(self.x, self.scale * scale, self.shift * scale + as_float64(shift))

    def materialize(self):
        x = self.x
        if np.any(self.scale != 1):
            x = x * self.scale.astype("float32")
        return x + self.shift.astype("float32") if np.any(self.shift) else x


@dataclasses.dataclass(frozen=True)
class Rotated:
    """`x @ matrix + shift` over the last axis, not computed yet."""

    x: tf.Tensor
    matrix: np.ndarray
    shift: np.ndarray

    def scaled(self, scale, shift):
        return Rotated(self.x, self.matrix * as_float64(scale), self.shift * scale + as_float64(shift))

    def materialize(self):
        return multiply(self.x, self.matrix, self.shift)


class Linear:
    """`apply(kernel, bias)`, not computed yet; the kernel's last axis is the output's channels."""

    def __init__(self, apply: Callable, kernel, bias):
        self.apply = apply
        self.kernel = kernel
        self.bias = np.broadcast_to(bias, kernel.shape[-1:])
        self._result = None

    def scaled(self, scale, shift):
        scale = as_float64(scale)
        return type(self)(self.apply, self.kernel * scale, self.bias * scale + as_float64(shift))

    def materialize(self):
        if self._result is None:
            self._result = self.apply(self.kernel.astype("float32"), self.bias.astype("float32"))
        return self._result


class Product(Linear):
    """A `Linear` of a dense layer, whose output's channels can be mixed by its kernel."""

    def mapped(self, matrix):
        return type(self)(self.apply, self.kernel @ matrix, self.bias @ matrix).materialize()


class Tokens:
    """Tokens into whose weights a matrix that follows is folded by `compute(matrix)`; None is no matrix."""

    def __init__(self, compute: Callable):
        self.mapped = compute
        self._result = None

    def materialize(self):
        if self._result is None:
            self._result = self.mapped(None)
        return self._result


class EncoderOutput:
    """An encoder's tokens, not computed yet.

    If only the first token is read, the last block computes only that one: its keys and values come from all
    tokens, its query, projection and MLP from one. `compute(only_first)` returns the tokens
    `(batch, length, hidden_dim)` or the first one `(batch, hidden_dim)`, and `scores`: each block's attention
    after softmax, of the last block only that of the tokens that it computed.
    """

    def __init__(self, compute: Callable):
        self.compute = compute
        self.scores = None  # until tokens are computed
        self._all = None

    def all_tokens(self):
        if self._all is None:
            self._all, self.scores = self.compute(only_first=False)
        return self._all

    def first_token(self):
        first, scores = self.compute(only_first=True)
        self.scores = self.scores or scores
        return first

    def scaled(self, scale, shift):
        return scaled(self.all_tokens(), scale, shift)

    def materialize(self):
        return materialize(self.all_tokens())
