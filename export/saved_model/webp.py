"""Decodes animated WebP files inside a TensorFlow graph. TensorFlow's own decoder corrupts the memory."""

import tensorflow as tf

from keras_vit.export.saved_model.file_bytes import bytes_at

_FLAGS, _CANVAS = 20, 24  # where the flags of a file are; and width and height less one, of 3 bytes each
_IS_ANIMATED, _HAS_OPACITY = 0x02, 0x10  # flags
_FRAME = b"ANMF"
_SIZE_LENGTH = 4  # bytes behind the name: the size of the rest
_HEADER_LENGTH = 16  # bytes with which the rest begins
_PLACE, _SIZE = 0, 6  # in the header: half of x and y; width and height less one, of 3 bytes each
_EXTENDED = b"VP8X\x0a\0\0\0" + bytes([_HAS_OPACITY, 0, 0, 0])  # what stands before a size in a still image
_LONGEST = 16_383  # pixels
_BYTES = [bytes([value]) for value in range(256)]


def is_animated_webp(data):
    """Returns whether the bytes of a file are those of a WebP that says to be animated."""
    flags = tf.io.decode_raw(bytes_at(data, _FLAGS, 1), tf.uint8)[0]
    is_extended = (bytes_at(data, 0, 4) == b"RIFF") & (bytes_at(data, 8, 8) == b"WEBPVP8X")
    return is_extended & (flags & _IS_ANIMATED > 0)


def decode_first_frame(data):
    """Returns the first frame of an animated WebP, uint8 `(height, width, 4)`, in the place it has.

    It is decoded as a still image. What it does not cover is transparent, or black in a file without opacity.
    """
    start = tf.strings.length(tf.strings.split(data, _FRAME, maxsplit=1)[0]) + len(_FRAME)
    length = _numbers(data, start, 1, 4)[0]
    header = start + _SIZE_LENGTH
    first = tf.minimum(header + _HEADER_LENGTH, tf.strings.length(data))
    frame = tf.strings.substr(data, first, tf.maximum(length - _HEADER_LENGTH, 0))
    parts = [b"WEBP", _EXTENDED, bytes_at(data, header + _SIZE, 6), frame]
    rest = tf.strings.join(parts)
    image = tf.io.decode_image(tf.strings.join([b"RIFF", _size(rest), rest]), expand_animations=False)
    image.set_shape((None, None, None))
    left, top = tf.unstack(2 * _numbers(data, header + _PLACE, 2))
    size = 1 + _numbers(data, _CANVAS, 2)
    tf.debugging.assert_less_equal(size, _LONGEST, "An animated WebP is larger than a still one can be.")
    width, height = tf.unstack(size)
    right, bottom = width - left - tf.shape(image)[1], height - top - tf.shape(image)[0]
    opacity = tf.where(tf.shape(image)[-1] == 4, image[..., -1:], 255)
    image = tf.concat([image[..., :3], opacity], axis=-1)
    image = tf.pad(image, [[top, bottom], [left, right], [0, 0]])
    has_opacity = _numbers(data, _FLAGS, 1, 1)[0] & _HAS_OPACITY > 0
    return tf.cond(has_opacity, lambda: image, lambda: image | tf.constant([0, 0, 0, 255], tf.uint8))


def _numbers(data, start, count, length=3):
    """Little-endian numbers of so many bytes."""
    content = tf.io.decode_raw(bytes_at(data, start, count * length), tf.uint8)
    content = tf.reshape(tf.cast(content, tf.int32), (count, length))
    return tf.reduce_sum(content * [256**i for i in range(length)], axis=1)


def _size(data):
    """The number of bytes, as 4 little-endian ones."""
    digits = tf.bitwise.right_shift(tf.strings.length(data), [0, 8, 16, 24]) & 255
    return tf.strings.reduce_join(tf.gather(tf.constant(_BYTES), digits))
