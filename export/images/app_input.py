"""Images as a TFLite file takes them and an app gives them: RGB, as float32 or uint8."""

import numpy as np

DTYPES = ("float32", "uint8")
PHOTOS = (1, 3)  # channels of what a camera or an image file gives: grey, RGB
GREY = (0.299, 0.587, 0.114)  # of red, green and blue: ITU-R BT.601, as in JPEG and Pillow


def whole_batch(images, batch_size):
    """Returns as many images as a file takes at once, padded with the last one."""
    missing = batch_size - len(images)
    return np.concatenate([images, np.repeat(images[-1:], missing, axis=0)]) if missing else images


def as_input(images, tensor):
    """Returns images with the channels and the type of a file's input.

    Args:
        images: array `(batch, height, width, channels)`, numbers in [0, 255]; grey ones for a file that
            takes RGB are the same in each channel.
        tensor: dict, the input's details as the Interpreter gives them.
    """
    if images.shape[-1] == 1 and tensor["shape"][-1] == 3:
        images = np.repeat(images, 3, axis=-1)
    if tensor["dtype"] is np.uint8:
        images = np.clip(np.rint(images), 0, 255)
    return images.astype(tensor["dtype"])
