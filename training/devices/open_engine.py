"""Selects the engine for `--devices`."""

import re

import keras

from keras_vit.errors import InputError
from keras_vit.training.devices.engine import Engine


def open_engine(devices=None):
    """Opens the devices of a training. Where several processes train together, it waits for all of them.

    Args:
        devices: str, int or None: a number, `"all"`, or on JAX `"2x4"` for two parts of each batch and
            4 devices that share the model for each. None: one device.

    Returns:
        Engine.

    Raises:
        InputError: none of these, more devices than exist, or not supported by the Keras backend.
    """
    if devices is None:
        return Engine()
    parts, sharing = parse_devices(devices)
    backend = keras.backend.backend()
    if backend == "tensorflow":
        from keras_vit.training.devices.mirrored import open_mirrored

        return open_mirrored(parts, sharing)
    if backend == "jax":
        from keras_vit.training.devices.distributed import open_distributed

        return open_distributed(parts, sharing)
    raise InputError(
        f"--devices needs the TensorFlow or the JAX backend of Keras, received {backend}: set "
        "KERAS_BACKEND=tensorflow or jax, or leave --devices out."
    )


def parse_devices(text):
    """Reads a number of devices.

    Args:
        text: str or int.

    Returns:
        `(parts, sharing)`: number of parts of a batch, None for one per device; and number of devices that
        share the model for each part.

    Raises:
        InputError: not a number above 0, `all`, or two numbers joined by `x`.

    Example:
        >>> parse_devices("4"), parse_devices("all"), parse_devices("2x4")
        ((4, 1), (None, 1), (2, 4))
    """
    if str(text) == "all":
        return None, 1
    match = re.fullmatch(r"([1-9]\d{0,5})(?:x([1-9]\d{0,5}))?", str(text))
    if not match:
        raise InputError(
            f"Expected --devices as a number (4), all, or data x model (2x4), received {str(text)!r}."
        )
    return int(match[1]), int(match[2] or 1)
