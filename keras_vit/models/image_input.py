"""The first two layers of all image models: the input and the scaling of its pixels."""

import keras
import numpy as np

from keras_vit.errors import InputError
from keras_vit.pairs import as_pair


def image_input(image_size, channels, input_tensor=None):
    """Returns the `keras.Input` for images of one size, or a given tensor of this shape."""
    if keras.config.image_data_format() != "channels_last":
        raise InputError(
            "Expected images of (height, width, channels), but Keras is set to 'channels_first': call "
            "keras.config.set_image_data_format('channels_last')."
        )
    shape = (*as_pair(image_size, "image_size"), channels)
    if input_tensor is None:
        return keras.Input(shape, name="images")
    if tuple(input_tensor.shape[1:]) != shape:
        raise InputError(
            f"Expected input_tensor of shape {(None, *shape)}, received {tuple(input_tensor.shape)}. Set "
            "image_size and channels to its size."
        )
    return input_tensor


def source_inputs(images):
    """Returns the `keras.Input` that images are computed from, or a list of several."""
    inputs = keras.utils.get_source_inputs(images)
    return inputs[0] if len(inputs) == 1 else inputs


def pixel_scaling(mean, std, channels, dtype):
    """Returns the layer that makes pixels in [0, 255] into `(x / 255 - mean) / std`, per channel."""
    for name, value in (("pixel_mean", mean), ("pixel_std", std)):
        if np.shape(value) not in ((), (channels,)):
            raise InputError(
                f"Expected {name} to be one number or {channels}, one per channel, received {np.size(value)}."
            )
    if np.min(std) <= 0:
        raise InputError(f"Expected pixel_std above 0, received {std}.")
    if np.ndim(mean) == np.ndim(std) == 0:
        return keras.layers.Rescaling(1 / (255 * std), offset=-mean / std, dtype=dtype, name="scaling")
    mean, std = np.broadcast_arrays(np.asarray(mean, "float64"), np.asarray(std, "float64"))
    scale, offset = (1 / (255 * std)).tolist(), (-mean / std).tolist()
    return keras.layers.Rescaling(scale, offset=offset, dtype=dtype, name="scaling")


def pixel_statistics(scaling, channels):
    """Returns the mean and deviation of a layer of `pixel_scaling`, each a tuple with one per channel."""
    scale, offset = np.asarray(scaling.scale, "float64"), np.asarray(scaling.offset, "float64")
    std = np.broadcast_to(1 / (255 * scale), channels)
    mean = -np.broadcast_to(offset, channels) * std
    return tuple(tuple(round(v, 9) for v in values.tolist()) for values in (mean, std))
