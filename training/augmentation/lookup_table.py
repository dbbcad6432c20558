"""Operations on single pixels as a table of 256 values for each image and channel.

These operations depend on an image through its histogram alone, so a chain of them is computed on the
histograms (256 numbers) and looked up once (height x width numbers).
"""

import keras
from keras import ops

from keras_vit.training.augmentation.draw import Draw

_ROUNDING = 1e-3  # so that 255 computed in float32 is not truncated to 254


def build_tables(pixels, draws: list[Draw], gray_weights):
    """Composes the drawn operations on single pixels into one table for each image.

    From int32 pixels `(batch, height, width, channels)` in [0, 255], it is float32 `(batch, channels, 256)`,
    whole numbers: the new value of each old one.
    """
    shape = (ops.shape(pixels)[0], pixels.shape[3], 256)
    histogram = _count(_flat_index(pixels), None, shape)
    values = ops.arange(256, dtype="float32")
    composed = None
    for drawn in draws:
        if composed is not None:
            histogram = _count(_offset(composed, shape), histogram, shape)
        table = _table(values, histogram, drawn, gray_weights)
        composed = table if composed is None else _take(table, _offset(composed, shape))
    return composed


def look_up(tables, pixels):
    """Returns the new values of all pixels: float32 `(batch, height, width, channels)`."""
    return _take(tables, _flat_index(pixels))


def gather(table, index):
    """Returns `table[index]` along the first axis, for indices in [0, length).

    `ops.take` also supports negative indices, which under TensorFlow costs more than the gathering itself.
    """
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.gather(table, index)
    return ops.take(table, index, axis=0)


def _table(values, histogram, drawn, gray_weights):
    table = ops.floor(ops.clip(_linear(values, histogram, drawn, gray_weights), 0, 255) + _ROUNDING)
    table = table + _column(drawn.chosen("equalize")) * (_equalized(values, histogram) - values)
    bin_size = _column(1 + drawn.chosen("posterize") * (2 ** (8 - drawn.bits) - 1))
    table = ops.floor(table / bin_size) * bin_size
    inverted = _column(drawn.chosen("solarize")) * ops.cast(table >= _column(drawn.threshold), "float32")
    return table + inverted * (255 - 2 * table)


def _linear(values, histogram, drawn, gray_weights):
    """Brightness, contrast (around the mean grey) and autocontrast (lowest to 0, highest to 255)."""
    lowest, highest = _extremes(values, histogram)
    span = ops.maximum(highest - lowest, 1)
    autocontrast = _column(drawn.chosen("autocontrast")) * ops.cast(highest > lowest, "float32")
    brightness = _column(drawn.amount("brightness", drawn.ranges.enhancement))
    contrast = _column(drawn.amount("contrast", drawn.ranges.enhancement))
    gain = 1 + brightness + contrast + autocontrast * (255 / span - 1)
    offset = contrast * _mean_gray(values, histogram, gray_weights) + autocontrast * lowest * (255 / span)
    return values * gain - offset


def _extremes(values, histogram):
    absent = ops.cast(ops.equal(histogram, 0), "float32") * 256
    lowest = ops.min(values + absent, axis=-1, keepdims=True)
    return lowest, ops.max(values - absent, axis=-1, keepdims=True)


def _mean_gray(values, histogram, gray_weights):
    weights = ops.reshape(ops.convert_to_tensor(gray_weights, dtype="float32"), (1, -1, 1))
    sums = ops.sum(histogram * values * weights, axis=(1, 2), keepdims=True)
    return ops.floor(sums / ops.sum(histogram, axis=-1, keepdims=True)[:, :1] + 0.5)


def _equalized(values, histogram):
    # As in Pillow, the highest value present does not count towards the step.
    _, highest = _extremes(values, histogram)
    at_highest = _take(histogram, _offset(highest, ops.shape(histogram)))
    step = ops.floor((ops.sum(histogram, axis=-1, keepdims=True) - at_highest) / 255 + _ROUNDING)
    below = ops.cumsum(histogram, axis=-1) - histogram
    table = ops.floor((ops.floor(step / 2) + below) / ops.maximum(step, 1) + _ROUNDING)
    return values + ops.cast(step > 0, "float32") * (ops.minimum(table, 255) - values)


def _column(per_image):
    return ops.reshape(per_image, (-1, 1, 1))


def _flat_index(pixels):
    # A sum of two matrices, one of them constant: broadcasting over four axes is slower in TensorFlow.
    batch, (height, width, channels) = ops.shape(pixels)[0], pixels.shape[1:]
    by_image = ops.reshape(ops.arange(batch, dtype="int32") * (256 * channels), (batch, 1))
    by_channel = ops.tile(ops.arange(channels, dtype="int32") * 256, (height * width,))
    return ops.reshape(
        ops.reshape(pixels, (-1, height * width * channels)) + (by_image + by_channel),
        (-1, *pixels.shape[1:]),
    )


def _offset(tables, shape):
    batch, channels, _ = shape
    first_entries = ops.arange(batch * channels, dtype="int32") * 256
    return ops.cast(tables, "int32") + ops.reshape(first_entries, (batch, channels, 1))


def _count(index, weights, shape):
    index = ops.reshape(index, (-1,))
    weights = ops.ones_like(index, "float32") if weights is None else ops.reshape(weights, (-1,))
    return ops.reshape(ops.segment_sum(weights, index, num_segments=shape[0] * shape[1] * 256), shape)


def _take(tables, index):
    return gather(ops.reshape(tables, (-1,)), index)
