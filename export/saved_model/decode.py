"""Decodes image files inside a TensorFlow graph, as `keras_vit.io.images` does in Python."""

import tensorflow as tf

from keras_vit.export.images.app_input import GREY
from keras_vit.export.saved_model.orientation import upright
from keras_vit.export.saved_model.prepare import prepared, reduced
from keras_vit.io.images import reduced_side

RATIOS = (2, 4, 8)  # by which JPEGs can be reduced while they are decoded


def decode(data, preprocessing, channels):
    """Decodes the bytes of a JPEG, PNG, WebP, BMP or GIF file to a uint8 image of a `Preprocessing`.

    EXIF orientation is applied, transparency is composited on white, and of an animation the first frame is
    used. Large images are reduced as there. A limit of TensorFlow's decoders: a BMP with a palette decodes to
    its indices.
    """
    least = reduced_side(preprocessing)
    image = upright(tf.cast(_decoded(data, least), tf.float32), data)
    image = reduced(_with_channels(_on_white(image, data), channels), least)
    return tf.cast(tf.clip_by_value(tf.round(prepared(image, preprocessing)), 0, 255), tf.uint8)


def _decoded(data, least):
    """Decodes a JPEG at a part of its size where its shorter side stays at least so long, as Pillow does."""

    def whole():
        return tf.io.decode_image(data, expand_animations=False)

    def jpeg():
        times = tf.reduce_min(tf.io.extract_jpeg_shape(data)[:2]) // least
        parts = [lambda ratio=ratio: tf.io.decode_jpeg(data, ratio=ratio) for ratio in RATIOS]
        return tf.switch_case(sum(tf.cast(times >= ratio, tf.int32) for ratio in RATIOS), [whole, *parts])

    image = tf.cond(tf.io.is_jpeg(data), jpeg, whole)
    image.set_shape((None, None, None))
    return image


def _on_white(image, data):
    """The first 1 or 3 channels; a fourth one in a BMP is padding and no transparency."""
    count = tf.shape(image)[-1]
    image, last = image[..., : tf.where(count < 3, 1, 3)], image[..., -1:]
    transparent = (count % 2 == 0) & (tf.strings.substr(data, 0, 2) != b"BM")
    opacity = tf.where(transparent, last / 255, 1.0)
    return tf.round(image * opacity + 255 * (1 - opacity))


def _with_channels(image, channels):
    height, width = tf.shape(image)[0], tf.shape(image)[1]
    image = tf.broadcast_to(image, (height, width, 3))
    image = image if channels == 3 else tf.round(tf.reduce_sum(image * GREY, axis=-1, keepdims=True))
    image.set_shape((None, None, channels))
    return image
