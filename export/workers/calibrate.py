"""Finds the range of every activation on calibration items.

The smallest and largest value over all items. ai-edge-quantizer's own calibration takes a moving average,
which cuts off values that only a few items reach, and spends 150 ms of Python on each item.
"""

import numpy as np

from keras_vit.export.tflite.named import NamedInterpreter


def run(file, items):
    """Returns a dict from a tensor's name to `[low, high, rank]`; `items` is an `.npz` of inputs by name."""
    opened = NamedInterpreter(file, preserve_all_tensors=True)
    arrays = dict(np.load(items))
    ranges = {}
    for index in range(len(next(iter(arrays.values())))):
        opened.run({name: array[index : index + 1] for name, array in arrays.items()})
        for tensor in opened.interpreter.get_tensor_details():
            _widen(ranges, tensor, opened.interpreter)
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
