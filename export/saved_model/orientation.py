"""Applies the EXIF orientation of a JPEG inside a TensorFlow graph."""

import tensorflow as tf

_MARK = b"Exif\0\0"
_TAG = 0x0112
_SEARCHED = 65536  # bytes: the first segments of a JPEG; an EXIF segment is no longer than this
_TURNS = (  # what makes orientations 1 to 8 upright
    lambda image: image,
    lambda image: image[:, ::-1],
    lambda image: image[::-1, ::-1],
    lambda image: image[::-1],
    lambda image: tf.transpose(image, (1, 0, 2)),
    lambda image: tf.transpose(image[::-1], (1, 0, 2)),
    lambda image: tf.transpose(image[::-1, ::-1], (1, 0, 2)),
    lambda image: tf.transpose(image[:, ::-1], (1, 0, 2)),
)


def upright(image, data):
    """Returns an image `(height, width, channels)`, decoded from the bytes `data`, as a viewer shows it.

    It is unchanged when `data` is not a JPEG or has no valid orientation.
    """
    turn = tf.cond(tf.io.is_jpeg(data), lambda: _orientation(data) - 1, lambda: 0)
    return tf.switch_case(turn, [lambda f=f: f(image) for f in _TURNS], default=lambda: image)


def _orientation(data):
    content = tf.io.decode_raw(tf.strings.substr(data, 0, _SEARCHED), tf.uint8)
    content = tf.cast(tf.pad(content, [[0, 64]]), tf.int32)
    windows = tf.stack([content[i : i - 64] for i in range(len(_MARK))], axis=1)
    found = tf.reduce_all(windows == list(_MARK), axis=1)
    header = content[tf.argmax(found, output_type=tf.int32) + len(_MARK) :]
    orientation = _first_directory_value(header)
    return tf.where(tf.reduce_any(found), orientation, 1)


def _first_directory_value(header):
    """The value of the tag in a TIFF header's first directory of 12-byte entries; 0 if it is not there."""
    little_endian = header[0] == ord("I")

    def number(these):
        these = tf.where(little_endian, these, these[..., ::-1])
        return these[..., 0] + 256 * these[..., 1]

    start = tf.where(little_endian, number(header[4:6]), number(header[6:8]))
    start = tf.minimum(start, tf.size(header) - 2)
    entries = header[start + 2 :][: 12 * number(header[start : start + 2])]
    entries = tf.reshape(entries[: tf.size(entries) // 12 * 12], (-1, 12))
    return tf.reduce_max(tf.where(number(entries[:, :2]) == _TAG, number(entries[:, 8:10]), 0))
