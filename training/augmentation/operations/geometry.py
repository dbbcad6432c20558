"""Flip, padded crop, rotation, zoom, TrivialAugment and RandAugment; pixels from outside are black.

A crop with `crop_fill="reflect"` mirrors the image at its border instead, after all other geometry.

The colours of the latter two come first. Their geometry is one bilinear resampling together with flip, crop,
rotation and zoom; without resampling, flip and crop copy pixels.

An affine map is a pair of rows `(a, b, c)` of `(batch,)` tensors: output point (x, y) is taken from
input point (a x + b y + c, ...). Points are in pixels from the image's top left corner, so that the
first pixel's centre is (0.5, 0.5), as in Pillow.
"""

import dataclasses
import math

from keras import ops

from keras_vit.errors import InputError
from keras_vit.training.augmentation import color, randaugment, trivialaugment
from keras_vit.training.augmentation.lookup_table import gather

ORDER = 10


def num_uniforms(augmentation):
    drawn = trivialaugment.NUM_UNIFORMS * augmentation.trivial_augment
    return _num_own(augmentation) + drawn + randaugment.UNIFORMS_PER_LAYER * augmentation.randaugment_layers


def apply(images, labels, uniforms, augmentation):
    own = _num_own(augmentation)
    draws = _draw(uniforms[:, own:], augmentation)
    images = color.change_colors(images, draws) if draws else images
    if augmentation.crop_fill == "reflect":
        return _flip_and_reflect(images, uniforms[:, :own], draws, augmentation), labels
    if draws:
        return warp(images, uniforms[:, :own], draws, augmentation), labels
    if augmentation.rotation or augmentation.zoom:
        return warp(ops.cast(images, "float32"), uniforms, [], augmentation), labels
    if augmentation.crop_padding:
        return flip_and_crop(images, uniforms, augmentation), labels
    return flip(images, uniforms), labels


def check_fits(augmentation, image_shape):
    """Raises InputError when the padding of the crop is as large as the images."""
    height, width = image_shape[:2]
    if augmentation.crop_padding >= min(height, width):
        raise InputError(
            f"Expected crop_padding below the size of the images, {height} x {width}, "
            f"received {augmentation.crop_padding}."
        )


def _draw(uniforms, augmentation):
    if not augmentation.trivial_augment:
        return randaugment.draw(uniforms, augmentation)
    count = trivialaugment.NUM_UNIFORMS
    return [trivialaugment.draw(uniforms[:, :count]), *randaugment.draw(uniforms[:, count:], augmentation)]


def flip(images, uniforms):
    """Mirrors the images whose number is at least 0.5, by copying whole images: their type stays."""
    _, height, width, channels = images.shape
    count = ops.shape(images)[0]
    rows = ops.reshape(images, (-1, width, channels))  # TensorFlow mirrors these fastest
    both = ops.concatenate([rows, ops.flip(rows, axis=1)], axis=0)
    is_flipped = ops.cast(ops.floor(2 * uniforms[:, 0]), "int32")
    return gather(
        ops.reshape(both, (-1, height, width, channels)),
        ops.arange(count, dtype="int32") + is_flipped * count,
    )


def _flip_and_reflect(images, uniforms, draws, augmentation):
    """Resamples without flip and crop, where anything needs it, and copies pixels for these two."""
    others = dataclasses.replace(augmentation, flip=False, crop_padding=0, crop_fill="zero")
    if draws or others.rotation or others.zoom:
        used = _num_own(augmentation) - _num_own(others)
        images = warp(ops.cast(images, "float32"), uniforms[:, used:], draws, others)
    return flip_and_crop(images, uniforms, augmentation)


def flip_and_crop(images, uniforms, augmentation):
    """Mirrors images and shifts them by whole pixels, by copying: their type stays."""
    _, height, width, channels = images.shape
    sign, right, down = _flip_and_shift(uniforms, augmentation)
    padding = augmentation.crop_padding
    mode = "reflect" if augmentation.crop_fill == "reflect" else "constant"
    padded = ops.pad(images, ((0, 0), (padding, padding), (padding, padding), (0, 0)), mode=mode)
    columns = _column(sign) * (ops.arange(width, dtype="float32") - (width - 1) / 2) + (width - 1) / 2
    columns = ops.cast(columns + _column(right) + padding, "int32")
    rows = ops.cast(ops.arange(height, dtype="float32") + _column(down) + padding, "int32")
    rows = rows + _column(ops.arange(ops.shape(images)[0], dtype="int32") * padded.shape[1])
    index = ops.expand_dims(rows * padded.shape[2], 2) + ops.expand_dims(columns, 1)
    return gather(ops.reshape(padded, (-1, channels)), index)


def warp(images, uniforms, draws, augmentation):
    """Flips, crops, rotates, zooms and applies the geometric operations drawn, in one bilinear resampling.

    `uniforms` are float32 `(batch, 0 to 5)`, those of flip, crop, rotation and zoom; `draws` may be empty.
    """
    height, width = images.shape[1:3]
    sign, right, down = _flip_and_shift(uniforms, augmentation)
    batch = ops.shape(images)[0]
    one, zero = ops.ones((batch,), "float32"), ops.zeros((batch,), "float32")
    rows = (one * sign, zero, right + width * (1 - sign) / 2), (zero, one, one * down)
    if augmentation.rotation:
        angle = math.radians(augmentation.rotation) * (2 * uniforms[:, -1 - bool(augmentation.zoom)] - 1)
        rows = _compose(rows, _rotation(angle, height, width))
    if augmentation.zoom:
        rows = _compose(rows, _scaling(1 + augmentation.zoom * (2 * uniforms[:, -1] - 1), height, width))
    for drawn in draws:
        rows = _compose(rows, _operation(drawn, height, width))
    return ops.image.affine_transform(images, _between_pixel_indices(rows), interpolation="bilinear")


def _num_own(augmentation):
    """Returns how many random numbers flip, crop, rotation and zoom need."""
    crop, rotation = bool(augmentation.crop_padding), bool(augmentation.rotation)
    return bool(augmentation.flip) + 2 * crop + rotation + bool(augmentation.zoom)


def flip_column(augmentation):
    """Returns which of its random numbers `apply` flips an image by, or None where it does not flip."""
    return 0 if augmentation.flip else None


def _flip_and_shift(uniforms, augmentation):
    columns = list(ops.unstack(uniforms, axis=1)) if uniforms.shape[1] else []
    sign, right, down = 1.0, 0.0, 0.0
    if augmentation.flip:
        sign = 1 - 2 * ops.floor(2 * columns.pop(0))
    if padding := augmentation.crop_padding:
        right, down = (ops.floor(column * (2 * padding + 1)) - padding for column in columns[:2])
    return sign, right, down


def _operation(drawn, height, width):
    """Returns the affine map of the drawn operation: all amounts but its own are 0, so the sum is its map."""
    largest = drawn.ranges
    angle = drawn.amount("rotate", math.radians(largest.rotation))
    (cos, sin, x), (minus_sin, _, y) = _rotation(angle, height, width)
    sin = sin + drawn.amount("shear_x", largest.shear)
    minus_sin = minus_sin + drawn.amount("shear_y", largest.shear)
    right = drawn.amount("translate_x", largest.translation * width + largest.pixels)
    down = drawn.amount("translate_y", largest.translation * height + largest.pixels)
    return (cos, sin, x + right), (minus_sin, cos, y + down)


def _scaling(factor, height, width):
    inverse, zero = 1 / factor, factor * 0
    return (inverse, zero, width / 2 * (1 - inverse)), (zero, inverse, height / 2 * (1 - inverse))


def _rotation(angle, height, width):
    cos, sin = ops.cos(angle), ops.sin(angle)
    x, y = width / 2, height / 2
    return (cos, sin, x - cos * x - sin * y), (-sin, cos, y + sin * x - cos * y)


def _compose(outer, inner):
    (a, b, c), (d, e, f) = inner
    return tuple((p * a + q * d, p * b + q * e, p * c + q * f + r) for p, q, r in outer)


def _between_pixel_indices(rows):
    (a, b, c), (d, e, f) = rows
    zero = a * 0
    # From points to indices: pixel i has its centre at i + 0.5.
    c, f = c + (a + b - 1) / 2, f + (d + e - 1) / 2
    return ops.stack([a, b, c, d, e, f, zero, zero], axis=1)


def _column(per_image):
    return ops.reshape(per_image, (-1, 1))
