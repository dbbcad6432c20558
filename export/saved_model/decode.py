"""Decodes image files inside a TensorFlow graph, as `keras_vit.io.images` does in Python."""

import tensorflow as tf

from keras_vit.export.images.app_input import GREY
from keras_vit.export.saved_model.orientation import upright
from keras_vit.export.saved_model.prepare import prepared, reduced
from keras_vit.io.images import reduced_side

RATIOS = (2, 4, 8)  # by which JPEGs can be reduced while they are decoded


def decode(data, preprocessing, channels):
    """Decodes the bytes of a JPEG, PNG, WebP, BMP or GIF file to a uint8 image of a `Preprocessing`.

    EXIF orientation is applied, transparency is composited on the background, and of an animation the first
    frame is used. Of a grey PNG of 16 bits the window is used. Large images are reduced as there. A limit of
    TensorFlow's decoders: a BMP with a palette decodes to its indices.
    """
    least = reduced_side(preprocessing)
    image = tf.cast(_decoded(data, least), tf.float32)
    if preprocessing.window is not None:
        image = tf.cond(
            _is_grey_of_16_bits(data), lambda: _windowed(data, *preprocessing.window), lambda: image
        )
        image.set_shape((None, None, None))
    image = upright(image, data)
    image = reduced(_with_channels(_opaque(image, data, preprocessing.background), channels), least)
    return tf.cast(tf.clip_by_value(tf.round(prepared(image, preprocessing)), 0, 255), tf.uint8)


def _decoded(data, least):
    """Decodes a JPEG at a part of its size where its shorter side stays at least so long, as Pillow does."""

    def whole():
        return tf.io.decode_image(data, expand_animations=False)

    def jpeg():
        size = tf.io.extract_jpeg_shape(data)[:2]
        fits = [(tf.reduce_min(size) // r >= least) & tf.reduce_all(size % r == 0) for r in RATIOS]
        parts = [lambda ratio=ratio: tf.io.decode_jpeg(data, ratio=ratio) for ratio in RATIOS]
        return tf.switch_case(sum(tf.cast(fit, tf.int32) for fit in fits), [whole, *parts])

    image = tf.cond(tf.io.is_jpeg(data), jpeg, whole)
    image.set_shape((None, None, None))
    return image


def _is_grey_of_16_bits(data):
    """Bits and kind of colour are behind the signature and the size of a PNG."""
    return (tf.strings.substr(data, 0, 4) == b"\x89PNG") & (tf.strings.substr(data, 24, 2) == b"\x10\x00")


def _windowed(data, low, high):
    values = tf.cast(tf.io.decode_png(data, dtype=tf.uint16), tf.float32)
    return tf.floor((tf.clip_by_value(values, low, high) - low) * (255 / (high - low)) + 0.5)


def _opaque(image, data, background):
    """The first 1 or 3 channels, on a colour; a fourth one in a BMP is padding and no transparency."""
    count = tf.shape(image)[-1]
    image, last = image[..., : tf.where(count < 3, 1, 3)], image[..., -1:]
    transparent = (count % 2 == 0) & (tf.strings.substr(data, 0, 2) != b"BM")
    opacity = tf.where(transparent, last / 255, 1.0)
    below = tf.constant(background, tf.float32)
    below = below if len(set(background)) > 1 else below[:1]  # which keeps a grey image of one channel
    return tf.round(image * opacity + below * (1 - opacity))


def _with_channels(image, channels):
    height, width = tf.shape(image)[0], tf.shape(image)[1]
    image = tf.broadcast_to(image, (height, width, 3))
    image = image if channels == 3 else tf.round(tf.reduce_sum(image * GREY, axis=-1, keepdims=True))
    image.set_shape((None, None, channels))
    return image
