"""Colour jitter: brightness, contrast, saturation and hue of each image change at random, in this order.

The arithmetic of each is that of torchvision's `ColorJitter`, which also shuffles the order; after each
change values are clipped to [0, 255].
"""

from keras import ops

from keras_vit.errors import InputError, counted
from keras_vit.training.augmentation.color import gray_weights, saturate

ORDER = 5
FIELDS = ("brightness", "contrast", "saturation", "hue")


def num_uniforms(augmentation):
    return len(_used(augmentation))


def apply(images, labels, uniforms, augmentation):
    """Changes the colours of images of 1 or 3 channels."""
    images = ops.cast(images, "float32")
    for name, column in zip(_used(augmentation), ops.unstack(uniforms, axis=1), strict=True):
        change = getattr(augmentation, name) * (2 * column - 1)
        images = ops.clip(_CHANGES[name](images, ops.reshape(change, (-1, 1, 1, 1))), 0, 255)
    return images, labels


def check_fits(augmentation, image_shape):
    """Raises InputError for changes of colours that grey images do not have."""
    given = [name for name in ("saturation", "hue") if getattr(augmentation, name)]
    if given and image_shape[-1] != 3:
        raise InputError(
            f"{given[0]} is for RGB images, and these have {counted(image_shape[-1], 'channel')}: set "
            f"{given[0]}=0."
        )


def _used(augmentation):
    return [name for name in FIELDS if getattr(augmentation, name)]


def _brightness(images, change):
    return images * (1 + change)


def _contrast(images, change):
    """Around the mean grey of an image."""
    weights = ops.convert_to_tensor(gray_weights(images.shape[-1]), dtype="float32")
    mean = ops.mean(ops.sum(images * weights, axis=-1, keepdims=True), axis=(1, 2), keepdims=True)
    return images + change * (images - mean)


def _saturation(images, change):
    return saturate(images, ops.reshape(change, (-1, 1, 1)))


def _hue(images, change):
    hue, saturation, value = ops.split(ops.image.rgb_to_hsv(images / 255), 3, axis=-1)
    turned = hue + change
    turned = turned - ops.floor(turned)
    return ops.image.hsv_to_rgb(ops.concatenate([turned, saturation, value], axis=-1)) * 255


_CHANGES = dict(zip(FIELDS, (_brightness, _contrast, _saturation, _hue), strict=True))
