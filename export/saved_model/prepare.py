"""Resizes and crops an image inside a TensorFlow graph, as `keras_vit.io.preprocessing` does in Python.

Only the part that is not cropped is computed, so that a long image needs no more memory than another.
"""

import math

import tensorflow as tf

KERNELS = {"bilinear": "triangle", "bicubic": "keyscubic", "lanczos": "lanczos3"}


def prepared(image, preprocessing):
    """Returns a float32 image `(height, width, channels)` of any size as a `Preprocessing` prepares it."""
    size = tf.cast(tf.shape(image)[:2], tf.float64)
    resized = _resized(size, preprocessing)
    first = _first(resized, preprocessing)
    resize = _nearest if preprocessing.interpolation == "nearest" else _filtered
    result = resize(image, resized / size, first, preprocessing)
    fill = tf.constant(preprocessing.border_levels(image.shape[-1]), tf.float32)
    result = tf.where(_is_inside(resized, first, preprocessing.image_size), result, fill)
    return tf.ensure_shape(result, (*preprocessing.image_size, image.shape[-1]))


def reduced(image, least):
    """Returns a float32 image; one whose shorter side exceeds four times `least` has twice, of means."""
    size = tf.cast(tf.shape(image)[:2], tf.float64)
    short = tf.reduce_min(size)
    scale = tf.where(short > 4 * least, 2 * least / short, 1)
    new = tf.cast(tf.round(size * scale), tf.int32)

    def resized():
        return _resampled(image, tf.unstack(new), tf.cast(new, tf.float64) / size, 0.0, "box", True)

    result = tf.cond(scale < 1, resized, lambda: image)
    result.set_shape(image.shape)
    return result


def _resized(size, preprocessing):
    """Height and width before the crop, whole numbers."""
    scaled = [max(math.floor(side / preprocessing.crop_ratio), 1) for side in preprocessing.image_size]
    mode = preprocessing.crop_mode
    if mode == "squash":
        return tf.constant(scaled, tf.float64)
    if mode == "shortest_edge" or mode == "center" and scaled[0] == scaled[1]:
        edge = tf.constant(min(scaled), tf.float64)
        short = tf.reduce_min(size)
        return tf.where(size == short, edge, tf.floor(edge * size / short))
    ratios = size / tf.constant(scaled, tf.float64)
    ratio = tf.reduce_max(ratios) if mode == "border" else tf.reduce_min(ratios)
    return tf.maximum(tf.round(size / ratio), 1)


def _first(resized, preprocessing):
    """The row and the column of the resized image that become the first; below 0 where a border is added."""
    room = resized - tf.constant(preprocessing.image_size, tf.float64)
    crop = tf.floor(room / 2) if preprocessing.crop_mode == "shortest_edge" else tf.round(room / 2)
    return tf.where(room > 0, crop, -tf.floor(-room / 2))


def _filtered(image, scale, first, preprocessing):
    kernel = KERNELS[preprocessing.interpolation]
    return _resampled(image, preprocessing.image_size, scale, first, kernel, preprocessing.rounded)


def _resampled(image, size, scale, first, kernel, rounded):
    """As Pillow: first the columns, then the rows, each rounded and clipped."""
    height, width = size
    sides = ((tf.shape(image)[0], width), (height, width))
    for size, axes in zip(sides, ((0.0, 1.0), (1.0, 0.0)), strict=True):
        image = tf.raw_ops.ScaleAndTranslate(
            images=image[None],
            size=tf.stack(size),
            scale=tf.where(tf.constant(axes) == 1, tf.cast(scale, tf.float32), 1.0),
            translation=tf.cast(-first, tf.float32) * axes,
            kernel_type=kernel,
            antialias=True,
        )[0]
        if rounded:
            image = tf.clip_by_value(tf.floor(image + 0.5), 0, 255)
    return image


def _nearest(image, scale, first, preprocessing):
    for axis, side in enumerate(preprocessing.image_size):
        places = (tf.range(side, dtype=tf.float64) + first[axis] + 0.5) / scale[axis]
        last = tf.shape(image)[axis] - 1
        image = tf.gather(image, tf.clip_by_value(tf.cast(tf.floor(places), tf.int32), 0, last), axis=axis)
    return image


def _is_inside(resized, first, size):
    """Where the image reaches, `(height, width, 1)` bool."""
    inside = [
        (tf.range(side, dtype=tf.float64) + first[axis] >= 0)
        & (tf.range(side, dtype=tf.float64) + first[axis] < resized[axis])
        for axis, side in enumerate(size)
    ]
    return (inside[0][:, None] & inside[1][None])[..., None]
