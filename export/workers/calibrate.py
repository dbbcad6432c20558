"""Finds the range of every activation on calibration images.

The smallest and largest value over all images. ai-edge-quantizer's own calibration takes a moving average,
which cuts off values that only a few images reach, and spends 150 ms of Python on each image.
"""

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from keras_vit.export.images.app_input import run_images


def run(file, images):
    """Returns a dict from a tensor's name to `[low, high, rank]`."""
    interpreter = Interpreter(file, num_threads=1, experimental_preserve_all_tensors=True)
    interpreter.allocate_tensors()
    (inside,) = interpreter.get_input_details()
    ranges = {}
    for image in np.load(images, mmap_mode="r"):
        run_images(interpreter, inside, image[None])
        for tensor in interpreter.get_tensor_details():
            _widen(ranges, tensor, interpreter)
    return ranges


def _widen(ranges, tensor, interpreter):
    if tensor["dtype"] is not np.float32:
        return
    try:
        values = interpreter.get_tensor(tensor["index"])
    except ValueError:  # a tensor inside a delegate, which cannot be read
        return
    if values.size:
        low, high, _ = ranges.get(tensor["name"], (np.inf, -np.inf, None))
        ranges[tensor["name"]] = [min(low, float(values.min())), max(high, float(values.max())), values.ndim]
