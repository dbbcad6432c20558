"""Values that wait to be computed, because what comes next may take part of the work into its weights.

A layer normalisation ends in a factor and a shift per channel. The dense layer behind it can take both
into its kernel and bias, and the two operators are gone; a factor behind a dense layer goes into that
layer likewise. So the functions of this folder hand on, instead of a tensor,

- `Scaled`: a tensor with a factor and a shift yet to be applied, or
- `Linear`: a matrix product or convolution whose weights are known and which is yet to be done, or
- `EncoderOutput`: an encoder whose last block waits to hear which tokens are read.

`plain` computes whatever waits and gives a tensor.
"""

import dataclasses
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from keras_vit.export.mobile.arrays import exact


def plain(x):
    """Returns the tensor: of a pending value, by computing it."""
    return x.plain() if hasattr(x, "plain") else x


def scaled(x, scale, shift):
    """Applies a factor and a shift per channel (arrays or numbers) to a tensor or a pending value."""
    return x.scaled(scale, shift) if hasattr(x, "scaled") else Scaled(x, exact(scale), exact(shift))


@dataclasses.dataclass(frozen=True)
class Scaled:
    """`x * scale + shift` over the last axis, yet to be computed."""

    x: tf.Tensor
    scale: np.ndarray
    shift: np.ndarray

    def scaled(self, scale, shift):
        scale = exact(scale)
        return Scaled(self.x, self.scale * scale, self.shift * scale + exact(shift))

    def plain(self):
        x = self.x
        if np.any(self.scale != 1):
            x = x * self.scale.astype("float32")
        return x + self.shift.astype("float32") if np.any(self.shift) else x


class Linear:
    """`apply(kernel, bias)`, yet to be done; the kernel's last axis is the output's channels."""

    def __init__(self, apply: Callable, kernel, bias):
        self.apply = apply
        self.kernel = exact(kernel)
        self.bias = np.broadcast_to(exact(bias), self.kernel.shape[-1:])
        self._result = None

    def scaled(self, scale, shift):
        scale = exact(scale)
        return Linear(self.apply, self.kernel * scale, self.bias * scale + exact(shift))

    def plain(self):
        if self._result is None:
            self._result = self.apply(self.kernel.astype("float32"), self.bias.astype("float32"))
        return self._result
