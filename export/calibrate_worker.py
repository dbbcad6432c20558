"""Finds the range of every activation: `python calibrate_worker.py FP32.tflite IMAGES.npy RANGES.json`.

Smallest and largest value over all images. ai-edge-quantizer's own calibration takes a moving average,
which cuts off what only a few images reach, and spends 150 ms of Python on each image.
"""

import json
import sys
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter

sys.path.append(str(Path(__file__).parents[2]))  # last: nothing is to stand in for an installed package
from keras_vit.export.app_input import as_input, whole_batch  # noqa: E402


def main():
    file, images, path = sys.argv[1:]
    interpreter = Interpreter(file, num_threads=1, experimental_preserve_all_tensors=True)
    interpreter.allocate_tensors()
    (inside,) = interpreter.get_input_details()
    ranges = {}
    for image in np.load(images, mmap_mode="r"):
        batch = whole_batch(image[None], inside["shape"][0])
        interpreter.set_tensor(inside["index"], as_input(batch, inside))
        interpreter.invoke()
        for tensor in interpreter.get_tensor_details():
            widen(ranges, tensor, interpreter)
    Path(path).write_text(json.dumps(ranges))


def widen(ranges, tensor, interpreter):
    if tensor["dtype"] is not np.float32:
        return
    try:
        values = interpreter.get_tensor(tensor["index"])
    except ValueError:  # a delegate's own, of which nothing can be read
        return
    if values.size:
        low, high, _ = ranges.get(tensor["name"], (np.inf, -np.inf, None))
        ranges[tensor["name"]] = [min(low, float(values.min())), max(high, float(values.max())), values.ndim]


if __name__ == "__main__":
    main()
