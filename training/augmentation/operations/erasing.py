"""Random erasing: a rectangle becomes noise. Reference: https://arxiv.org/abs/1708.04896

Area and aspect ratio are timm's (2 % to a third of the image, 0.3 to 3.3); a rectangle that does not
fit is cropped to the image instead of being drawn again. The noise is uniform in [0, 255] for each pixel
and channel: one fixed noise image, plus a random number of each image, modulo 1.
"""

import functools
import math

import numpy as np
from keras import ops

ORDER = 20
NUM_UNIFORMS = 6  # whether, area, aspect, top, left, noise

_AREA = (0.02, 1 / 3)
_LOG_ASPECT = (math.log(0.3), math.log(3.3))


def num_uniforms(augmentation):
    return NUM_UNIFORMS if augmentation.erasing_rate else 0


def apply(images, labels, uniforms, augmentation):
    """Fills a rectangle with noise in some images."""
    height, width = images.shape[1:3]
    whether, area, aspect, top, left, noise = ops.unstack(uniforms, axis=1)
    area = (_AREA[0] + (_AREA[1] - _AREA[0]) * area) * (height * width)
    aspect = ops.exp(_LOG_ASPECT[0] + (_LOG_ASPECT[1] - _LOG_ASPECT[0]) * aspect)
    box_height = ops.clip(ops.floor(ops.sqrt(area * aspect) + 0.5), 1, height)
    box_width = ops.clip(ops.floor(ops.sqrt(area / aspect) + 0.5), 1, width)
    box_height = box_height * ops.cast(whether < augmentation.erasing_rate, "float32")
    top = ops.floor(top * (height + 1 - box_height))
    left = ops.floor(left * (width + 1 - box_width))
    erased = box_mask(images.shape, top, left, top + box_height, left + box_width)
    images = ops.cast(images, "float32")
    return images + erased * (_noise(images.shape[1:], noise) - images), labels


def box_mask(image_shape, top, left, bottom, right):
    """Returns 1 inside a rectangle for each image, else 0: float32 `(batch, height, width, 1)`.

    The edges are float32 `(batch,)`, whole pixels; bottom and right are exclusive.
    """
    rows = _between(image_shape[1], top, bottom)
    columns = _between(image_shape[2], left, right)
    return ops.reshape(rows, (-1, image_shape[1], 1, 1)) * ops.reshape(columns, (-1, 1, image_shape[2], 1))


def _between(size, first, end):
    positions = ops.arange(size, dtype="float32")
    first, end = ops.reshape(first, (-1, 1)), ops.reshape(end, (-1, 1))
    return ops.cast(positions >= first, "float32") * ops.cast(positions < end, "float32")


def _noise(shape, shift):
    noise = ops.convert_to_tensor(_fixed_noise(shape)) + ops.reshape(shift, (-1, 1, 1, 1))
    return (noise - ops.floor(noise)) * 255


@functools.lru_cache
def _fixed_noise(shape):
    return np.random.default_rng(0).random((1, *shape), dtype="float32")
