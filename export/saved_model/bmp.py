"""Decodes BMP files with a palette inside a TensorFlow graph: TensorFlow gives the numbers of the colours."""

import tensorflow as tf

from keras_vit.export.saved_model.file_bytes import bytes_at

_HEADER, _BITS = 14, 28  # where the second header begins, with its length, and the bits of a pixel are
_ENTRY = 4  # bytes of a colour: blue, green, red and none
_MOST = 256 * _ENTRY


def is_bmp_with_palette(data):
    """Returns whether the bytes of a file are a BMP of 8 bits a pixel."""
    return (bytes_at(data, 0, 2) == b"BM") & (bytes_at(data, _BITS, 2) == b"\x08\0")


def decode_bmp_with_palette(data):
    """Returns the image, uint8 `(height, width, 3)`. Colours that a broken file lacks are black."""
    start = _HEADER + tf.io.decode_raw(bytes_at(data, _HEADER, 4), tf.int32)[0]
    is_there = (start > _HEADER) & (start < tf.strings.length(data))
    colors = tf.reshape(tf.io.decode_raw(bytes_at(data, start, _MOST), tf.uint8), (-1, _ENTRY))[:, 2::-1]
    image = tf.io.decode_bmp(tf.where(is_there, data, b""))
    return tf.gather(colors, tf.cast(image[..., 0], tf.int32))
