"""The parts of mobile models: convolutions and dense layers with batch normalization, and their heads."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import keras

from keras_vit.errors import InputError
from keras_vit.layers._options import DType


class BatchNormalized(NamedTuple):
    """Adds layers to a graph; `place` ends their names.

    As in the reference implementations images are padded equally on all sides, and batch normalization has
    momentum 0.9 and epsilon 1e-5.
    """

    seeds: Iterator
    dtype: DType
    activation: str | Callable

    def convolution(self, x, filters, kernel_size, strides, place, gamma_initializer="ones"):
        """A convolution and its normalization."""
        kernel = keras.initializers.HeNormal(next(self.seeds))
        options = {"filters": filters, "kernel_initializer": kernel, "name": f"conv_{place}"}
        x = self._convolved(keras.layers.Conv2D, x, kernel_size, strides, place, **options)
        return self.norm(x, place, gamma_initializer)

    def depthwise(self, x, kernel_size, strides, place):
        """A depthwise convolution and its normalization."""
        kernel = keras.initializers.GlorotUniform(next(self.seeds))
        options = {"depthwise_initializer": kernel, "name": f"depthwise_{place}"}
        x = self._convolved(keras.layers.DepthwiseConv2D, x, kernel_size, strides, place, **options)
        return self.norm(x, place)

    def mlp(self, x, width, place, activation_place):
        """Two dense layers over the channels with their normalizations, for a residual branch."""
        y = self.convolution(x, width, 1, 1, f"{place}_expansion")
        y = self.activated(y, activation_place)
        return self.convolution(y, x.shape[-1], 1, 1, f"{place}_projection", gamma_initializer="zeros")

    def norm(self, x, place, gamma_initializer="ones"):
        return keras.layers.BatchNormalization(
            momentum=0.9,
            epsilon=1e-5,
            gamma_initializer=gamma_initializer,
            dtype=self.dtype,
            name=f"norm_{place}",
        )(x)

    def activated(self, x, place):
        return keras.layers.Activation(self.activation, dtype=self.dtype, name=f"activation_{place}")(x)

    def _convolved(self, layer_class, x, kernel_size, strides, place, **options):
        """With zeros on all sides; "same" would put them on two sides only where the strides are 2."""
        if strides > 1 and kernel_size > 1:
            x = keras.layers.ZeroPadding2D(kernel_size // 2, dtype=self.dtype, name=f"pad_conv_{place}")(x)
        options |= {"padding": "valid" if strides > 1 else "same", "use_bias": False, "dtype": self.dtype}
        return layer_class(kernel_size=kernel_size, strides=strides, **options)(x)


def check_halved(image_size: tuple[int, int], halvings: int) -> None:
    """Raises InputError for images so small that a grid of one place would be halved."""
    if min(image_size) <= 2 ** (halvings - 1):
        raise InputError(
            f"Expected images of more than {2 ** (halvings - 1)} pixels, which are halved {halvings} times; "
            f"received image_size={image_size}. Set image_size, or take a variant for smaller images."
        )


def heads(build: BatchNormalized, x, num_classes: int, dropout_rate: float, has_two: bool):
    """Returns logits of pooled features: a normalization and a dense layer, or the mean of two such heads.

    Without classes these are the features.
    """
    if not num_classes:
        return x
    x = keras.layers.Dropout(dropout_rate, seed=next(build.seeds), dtype=build.dtype, name="dropout")(x)

    def head(place):
        y = build.norm(x, place)
        kernel = keras.initializers.TruncatedNormal(stddev=0.02, seed=next(build.seeds))
        return keras.layers.Dense(num_classes, kernel_initializer=kernel, dtype="float32", name=place)(y)

    if not has_two:
        return head("head")
    return keras.layers.Average(dtype="float32", name="mean_of_heads")(
        [head("head"), head("distillation_head")]
    )
