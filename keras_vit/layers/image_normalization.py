"""Normalises each image by its own pixels."""

from typing import Annotated, Unpack

import keras
from keras import ops

from keras_vit.constraints import Choices, checked
from keras_vit.layers._configured_layer import ConfiguredLayer
from keras_vit.layers._options import Epsilon, LayerOptions

KINDS = ("global_contrast", "l1", "l2", "min_max")


@keras.saving.register_keras_serializable(package="keras_vit")
class ImageNormalization(ConfiguredLayer):
    """Shifts and scales each image by statistics of its own pixels, all channels together.

    Args:
        kind: `"global_contrast"`: mean 0 and deviation 1; `"l1"`: the mean of the absolute values is 1;
            `"l2"`: the root of the mean square is 1; `"min_max"`: from 0 to 1. The norms of the second and
            the third equal the textbook's except for a constant, which keeps the values' size.
        epsilon: float, the least that is divided by. Default 1e-3.

    Call arguments:
        images: `(batch, height, width, channels)`, of any number type.

    Returns:
        Floats, of the shape of `images`.

    Raises:
        InputError: an unknown kind.

    Example:
        >>> float(ops.max(ImageNormalization("min_max")(ops.reshape(ops.arange(12.0), (1, 2, 2, 3)))))
        1.0

    Reference: Goodfellow, Bengio and Courville 2016, Deep Learning, section 12.2.1.1
    """

    axes = ("batch", "height", "width", "channels")

    @checked
    def __init__(
        self,
        kind: Annotated[str, Choices(*KINDS)] = "global_contrast",
        epsilon: Epsilon = 1e-3,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(locals())

    def call(self, images):
        x = ops.cast(images, "float32")
        if self.kind == "global_contrast":
            x = x - _mean(x)
        if self.kind == "min_max":
            x = x - ops.min(x, axis=(1, 2, 3), keepdims=True)
        return ops.cast(x / ops.maximum(self._size(x), self.epsilon), self.compute_dtype)

    def _size(self, x):
        if self.kind == "min_max":
            return ops.max(x, axis=(1, 2, 3), keepdims=True)
        if self.kind == "l1":
            return _mean(ops.abs(x))
        return ops.sqrt(_mean(ops.square(x)))


def _mean(x):
    return ops.mean(x, axis=(1, 2, 3), keepdims=True)
