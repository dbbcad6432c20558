"""Inputs as an app passes them to a file: images in RGB as float32 or uint8, any numbers as int8."""

import numpy as np

DTYPES = ("float32", "uint8", "int8")
PHOTOS = (1, 3)  # channels of what a camera or an image file gives: grey, RGB
GREY = (0.299, 0.587, 0.114)  # of red, green and blue: ITU-R BT.601, as in JPEG and Pillow


def is_pixels(array):
    """Returns whether an array is images `(n, height, width, channels)` of whole values from 0 to 255."""
    return array.ndim == 4 and array.dtype == np.uint8


def as_taken(array, shape, dtype):
    """Returns items as a file's input of this shape, with the batch, and type takes them.

    Grey images for a file that takes RGB are the same in each channel; floats for bytes are rounded.
    """
    if array.ndim == len(shape) == 4 and array.shape[-1] == 1 and shape[-1] == 3:
        array = np.repeat(array, 3, axis=-1)
    if dtype == np.uint8:
        array = np.clip(np.rint(array), 0, 255)
    return array.astype(dtype, copy=False)
