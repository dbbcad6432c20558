"""The exact Gaussian error linear unit, with a gradient that keeps little."""

import math

from keras import ops


@ops.custom_gradient
def gelu(x):
    """Returns `x * Phi(x)`, Phi the normal distribution's cumulative function.

    A backend's own gradient keeps each intermediate of the error function, five times the size of `x`;
    this one keeps `x` alone. The value is the backend's, which converters know as one operator.

    Reference: Hendrycks and Gimpel 2016, https://arxiv.org/abs/1606.08415
    """

    def gradient(*arguments, upstream=None):
        (upstream,) = arguments if upstream is None else (upstream,)
        phi = 0.5 * (1 + ops.erf(x * math.sqrt(0.5)))
        density = ops.exp(-0.5 * ops.square(x)) * (1 / math.sqrt(2 * math.pi))
        return upstream * (phi + x * density)

    return ops.gelu(x, approximate=False), gradient
