"""Cuts images into patches."""

from typing import Unpack

import keras
from keras import ops

from keras_vit.constraints import checked
from keras_vit.errors import InputError
from keras_vit.layers._configured_layer import ConfiguredLayer
from keras_vit.layers._options import LayerOptions, PixelPair
from keras_vit.pairs import as_pair


@keras.saving.register_keras_serializable(package="keras_vit")
class PatchExtraction(ConfiguredLayer):
    """Cuts images into non-overlapping patches, each flattened to its pixels. Has no weights.

    Patches are in row-major order; within one, pixels are in row-major order with channels last.

    Args:
        patch_size: int or `(height, width)` in pixels. Must divide the image.

    Call arguments:
        images: `(batch, height, width, channels)`.

    Returns:
        `(batch, num_patches, patch_height * patch_width * channels)`.

    Raises:
        InputError: the patch does not divide the image, or the image's size is not static.

    Example:
        >>> tuple(PatchExtraction((7, 14))(ops.zeros((2, 28, 28, 1))).shape)
        (2, 8, 98)

    Reference: Dosovitskiy et al. 2021, equation 1, https://arxiv.org/abs/2010.11929
    """

    axes = ("batch", "height", "width", "channels")

    @checked
    def __init__(self, patch_size: PixelPair, **options: Unpack[LayerOptions]) -> None:
        patch_size = as_pair(patch_size, "patch_size")
        super().__init__(locals())
        self.supports_masking = False  # a mask of pixels is not one of patches: Keras warns and drops it

    def build(self, input_shape):
        patch_grid(input_shape, self.patch_size)

    def call(self, images):
        channels = images.shape[-1]
        rows, columns = patch_grid(images.shape, self.patch_size)
        height, width = self.patch_size
        x = ops.reshape(images, (-1, rows, height, columns, width, channels))
        x = ops.transpose(x, (0, 1, 3, 2, 4, 5))
        return ops.reshape(x, (-1, rows * columns, height * width * channels))

    def reconstruct(self, patches, image_size: PixelPair):
        """Puts patches together again: the inverse of `call`.

        Args:
            patches: `(batch, num_patches, patch_height * patch_width * channels)`.
            image_size: int or `(height, width)` of the image in pixels.

        Returns:
            `(batch, height, width, channels)`.

        Raises:
            InputError: the patch does not divide the image.
        """
        image_height, image_width = as_pair(image_size, "image_size")
        height, width = self.patch_size
        channels = patches.shape[-1] // (height * width)
        rows, columns = patch_grid((None, image_height, image_width, channels), self.patch_size)
        x = ops.reshape(patches, (-1, rows, columns, height, width, channels))
        x = ops.transpose(x, (0, 1, 3, 2, 4, 5))
        return ops.reshape(x, (-1, image_height, image_width, channels))

    def compute_output_shape(self, input_shape):
        rows, columns = patch_grid(input_shape, self.patch_size)
        height, width = self.patch_size
        return (input_shape[0], rows * columns, height * width * input_shape[-1])


def patch_grid(image_shape, patch_size):
    """Returns the `(rows, columns)` of patches in an image.

    Args:
        image_shape: `(batch, height, width, channels)`.
        patch_size: `(height, width)` in pixels.

    Raises:
        InputError: the patch does not divide the image, or the image's size is not static.
    """
    if len(image_shape) != 4 or None in image_shape[1:]:
        raise InputError(
            "Expected images of a fixed shape (batch, height, width, channels), received "
            f"{tuple(image_shape)}. Give the model's Input a height, a width and channels."
        )
    size = tuple(image_shape[1:3])
    if size[0] % patch_size[0] or size[1] % patch_size[1]:
        raise InputError(
            f"The patch must divide the image: received image_size={size} and patch_size="
            f"{tuple(patch_size)}. Choose a patch_size that divides both sides, or resize the images."
        )
    return size[0] // patch_size[0], size[1] // patch_size[1]
