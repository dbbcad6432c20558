"""Decodes image files inside a TensorFlow graph, as `keras_vit.io.images` does in Python."""

import tensorflow as tf

from keras_vit.export.images.app_input import GREY
from keras_vit.export.saved_model.bmp import decode_bmp_with_palette, is_bmp_with_palette
from keras_vit.export.saved_model.file_bytes import bytes_at
from keras_vit.export.saved_model.orientation import upright
from keras_vit.export.saved_model.prepare import prepared, reduced
from keras_vit.export.saved_model.webp import decode_first_frame, is_animated_webp
from keras_vit.io.images import reduced_side
from keras_vit.io.sixteen_bits import HIGHEST

RATIOS = (2, 4, 8)  # by which JPEGs can be reduced while they are decoded
_PALETTE = 3  # a kind of PNG


def decode(data, preprocessing, channels):
    """Decodes the bytes of a JPEG, PNG, WebP, BMP or GIF file to a uint8 image of a `Preprocessing`.

    EXIF orientation is applied, transparency is composited on the background, and of an animation the first
    frame is used. The window scales a PNG of 16 bits. Large images are reduced as there.
    """
    least = reduced_side(preprocessing)
    image = upright(_decoded(data, least, preprocessing.window or (0, HIGHEST)), data)
    image = reduced(_with_channels(_opaque(image, data, preprocessing.background), channels), least)
    return tf.cast(tf.clip_by_value(tf.round(prepared(image, preprocessing)), 0, 255), tf.uint8)


def _decoded(data, least, window):
    """Decodes a file to float32 levels.

    A JPEG is decoded at a part of its size where its shorter side stays at least so long, as Pillow does.
    """

    def whole():
        return tf.io.decode_image(data, expand_animations=False)

    def jpeg():
        size = tf.io.extract_jpeg_shape(data)[:2]
        fits = [(tf.reduce_min(size) // r >= least) & tf.reduce_all(size % r == 0) for r in RATIOS]
        parts = [lambda ratio=ratio: tf.io.decode_jpeg(data, ratio=ratio) for ratio in RATIOS]
        return tf.switch_case(sum(tf.cast(fit, tf.int32) for fit in fits), [whole, *parts])

    kinds = [
        (tf.io.is_jpeg(data), lambda: tf.cast(jpeg(), tf.float32)),
        (bytes_at(data, 0, 4) == b"\x89PNG", lambda: _decoded_png(data, window)),
        (is_animated_webp(data), lambda: tf.cast(decode_first_frame(data), tf.float32)),
        (is_bmp_with_palette(data), lambda: tf.cast(decode_bmp_with_palette(data), tf.float32)),
    ]
    image = tf.case(kinds, lambda: tf.cast(whole(), tf.float32))
    image.set_shape((None, None, None))
    return image


def _decoded_png(data, window):
    def of_16_bits():
        values = tf.cast(tf.io.decode_png(data, channels=4, dtype=tf.uint16), tf.float32)
        return tf.concat([_scaled(values[..., :3], *window), _scaled(values[..., 3:], 0, HIGHEST)], axis=-1)

    def with_opacity():
        return tf.cast(tf.io.decode_png(data, channels=4), tf.float32)

    def whole():
        return tf.cast(tf.io.decode_png(data), tf.float32)

    depth, kind = tf.unstack(tf.io.decode_raw(bytes_at(data, 24, 2), tf.uint8), num=2)
    key_matters = (kind != _PALETTE) & _has_key_color(data)
    return tf.case([(depth == 16, of_16_bits), (key_matters, with_opacity)], whole)


def _has_key_color(data):
    """Whether a PNG states what is transparent; of one colour TensorFlow obeys it only if it is asked to."""
    head = tf.strings.split(data, b"IDAT", maxsplit=1)[0]
    return tf.size(tf.strings.split(head, b"tRNS")) > 1


def _scaled(values, low, high):
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
