"""Images as an app passes them to a TFLite file: RGB, as float32 or uint8."""

import numpy as np

DTYPES = ("float32", "uint8")
PHOTOS = (1, 3)  # channels of what a camera or an image file gives: grey, RGB
GREY = (0.299, 0.587, 0.114)  # of red, green and blue: ITU-R BT.601, as in JPEG and Pillow


def run_images(interpreter, tensor, images):
    """Runs a file on images `(n, height, width, channels)` in [0, 255], no more than it takes at once.

    `tensor` is the file's input as the Interpreter describes it. Missing images are copies of the last one,
    grey images for a file that takes RGB are the same in each channel.
    """
    missing = tensor["shape"][0] - len(images)
    images = np.concatenate([images, np.repeat(images[-1:], missing, axis=0)]) if missing else images
    if images.shape[-1] == 1 and tensor["shape"][-1] == 3:
        images = np.repeat(images, 3, axis=-1)
    if tensor["dtype"] is np.uint8:
        images = np.clip(np.rint(images), 0, 255)
    interpreter.set_tensor(tensor["index"], images.astype(tensor["dtype"]))
    interpreter.invoke()
