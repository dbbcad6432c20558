"""Normalises each image by its own pixels."""

import keras
from keras import ops

KINDS = ("global_contrast", "l1", "l2", "min_max")


@keras.saving.register_keras_serializable(package="keras_vit")
class ImageNormalization(keras.layers.Layer):
    """Shifts and scales each image by figures of its own pixels, all channels together.

    Args:
        kind: `"global_contrast"`: mean 0 and deviation 1; `"l1"`: the mean of the absolute values is 1;
            `"l2"`: the root of the mean square is 1; `"min_max"`: from 0 to 1. The norms of the second and
            the third are the textbook's but for a constant, which keeps the values' size.
        epsilon: float, the least that is divided by. Default 1e-3.

    Call arguments:
        images: `(batch, height, width, channels)`, of any number type.

    Returns:
        Floats, of the shape of `images`.

    Raises:
        ValueError: an unknown kind.

    Reference: Goodfellow, Bengio and Courville 2016, Deep Learning, section 12.2.1.1
    """

    def __init__(self, kind="global_contrast", epsilon=1e-3, **kwargs):
        super().__init__(**kwargs)
        if kind not in KINDS:
            raise ValueError(f"Expected kind to be one of {', '.join(KINDS)}, received {kind!r}.")
        self.kind = kind
        self.epsilon = epsilon

    def call(self, images):
        x = ops.cast(images, "float32")
        if self.kind == "global_contrast":
            x = x - _mean(x)
        if self.kind == "min_max":
            x = x - ops.min(x, axis=(1, 2, 3), keepdims=True)
        return ops.cast(x / ops.maximum(self._size(x), self.epsilon), self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "kind": self.kind, "epsilon": self.epsilon}

    def _size(self, x):
        if self.kind == "min_max":
            return ops.max(x, axis=(1, 2, 3), keepdims=True)
        if self.kind == "l1":
            return _mean(ops.abs(x))
        return ops.sqrt(_mean(ops.square(x)))


def _mean(x):
    return ops.mean(x, axis=(1, 2, 3), keepdims=True)
