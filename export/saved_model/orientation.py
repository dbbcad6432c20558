"""Applies the orientation that EXIF or XMP states inside a TensorFlow graph."""

import tensorflow as tf

_MARKS = {  # by the first byte of a file: what stands before EXIF, and how far before its header
    0xFF: (b"Exif", 6),  # JPEG
    0x89: (b"eXIf", 4),  # PNG
    ord("R"): (b"EXIF", 8),  # WebP
}
_PREFIX = 6  # bytes, `Exif\0\0`, which some WebP files have as well
_HEADERS = (b"II*\0", b"MM\0*")
_XMP = b"tiff:Orientation"
_TAG = 0x0112
_LONG = 4  # the type of a number of 4 bytes
_LENGTH = 4096  # bytes of a directory that are read
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

    It is unchanged when `data` is no JPEG, PNG or WebP, or has no valid orientation. XMP counts where EXIF
    has none. What a PNG has of them in compressed text is not read.
    """
    content = tf.pad(tf.io.decode_raw(data, tf.uint8), [[0, _LENGTH]])
    has_one = tf.reduce_any(content[0] == list(_MARKS))
    turn = tf.cond(has_one, lambda: _orientation(content) - 1, lambda: 0)
    return tf.switch_case(turn, [lambda f=f: f(image) for f in _TURNS], default=lambda: image)


def _orientation(content):
    starts = _exif_headers(content)
    found = tf.cond(tf.size(starts) > 0, lambda: _of_exif(content, starts[0]), lambda: -1)
    return tf.cond(found >= 0, lambda: found, lambda: _of_xmp(content))


def _exif_headers(content):
    kind = tf.argmax(content[0] == list(_MARKS), output_type=tf.int32)
    mark = tf.constant([list(mark) for mark, _ in _MARKS.values()], tf.uint8)[kind]
    starts = _places(content, mark, len(_HEADERS[0])) + tf.constant([n for _, n in _MARKS.values()])[kind]
    starts = tf.where(_bytes(content, starts, 1)[:, 0] == ord("E"), starts + _PREFIX, starts)
    first = _bytes(content, starts, len(_HEADERS[0]))
    are = [tf.reduce_all(first == list(header), axis=1) for header in _HEADERS]
    return tf.boolean_mask(starts, are[0] | are[1])


def _places(content, mark, length):
    """Where a mark of so many bytes begins."""
    places = tf.cast(tf.where(content[:-_LENGTH] == mark[0])[:, 0], tf.int32)
    for i in range(1, length):
        places = tf.boolean_mask(places, tf.gather(content, places + i) == mark[i])
    return places


def _bytes(content, places, count):
    return tf.cast(tf.gather(content, places[:, None] + tf.range(count)), tf.int32)


def _of_exif(content, start):
    """The value of the tag in the first directory, of 12-byte entries; -1 if it is not there."""
    header = tf.cast(content[start : start + _LENGTH], tf.int32)
    little_endian = header[0] == ord("I")

    def number(these):
        these = tf.where(little_endian, these, these[..., ::-1])
        return these[..., 0] + 256 * these[..., 1]

    start = tf.where(little_endian, number(header[4:6]), number(header[6:8]))
    start = tf.minimum(start, tf.size(header) - 2)
    entries = header[start + 2 :][: 12 * number(header[start : start + 2])]
    entries = tf.reshape(entries[: tf.size(entries) // 12 * 12], (-1, 12))
    is_later = (number(entries[:, 2:4]) == _LONG) & ~little_endian
    values = tf.where(is_later, number(entries[:, 10:12]), number(entries[:, 8:10]))
    return tf.reduce_max(tf.concat([[-1], tf.where(number(entries[:, :2]) == _TAG, values, -1)], axis=0))


def _of_xmp(content):
    """The digit in `tiff:Orientation="6"` or `<tiff:Orientation>6`; 0 if there is none."""
    after = _bytes(content, _places(content, tf.constant(list(_XMP), tf.uint8), len(_XMP)) + len(_XMP), 3)
    is_attribute = tf.reduce_all(after[:, :2] == list(b'="'), axis=1)
    digits = tf.where(is_attribute, after[:, 2], after[:, 1]) - ord("0")
    valid = (is_attribute | (after[:, 0] == ord(">"))) & (digits >= 0) & (digits <= 9)
    return tf.concat([tf.boolean_mask(digits, valid), [0]], axis=0)[0]
