"""Finds the range of every activation on calibration items, and the mean of what dense layers read.

The smallest and largest value over all items. ai-edge-quantizer's own calibration takes a moving average,
which cuts off values that only a few items reach, and spends 150 ms of Python on each item.
"""

from pathlib import Path

import numpy as np

from keras_vit.export.tflite.graph import operators, read_graph
from keras_vit.export.tflite.named import NamedInterpreter


def run(file, items, done=None):
    """Returns two dicts by a tensor's name: ranges, `[low, high, rank]`, and means, a list of the channels'.

    `items` is an `.npz` of inputs by name. The share of them that was run is written to the file `done`.
    """
    content = Path(file).read_bytes()
    ranges, sums, arrays = {}, dict.fromkeys(_read_by_dense_layers(content), 0.0), dict(np.load(items))
    count = len(next(iter(arrays.values())))
    for name, values in _values(NamedInterpreter(content, preserve_all_tensors=True), arrays, count, done):
        low, high, _ = ranges.get(name, (np.inf, -np.inf, None))
        ranges[name] = [min(low, float(values.min())), max(high, float(values.max())), values.ndim]
        if name in sums and values.ndim > 1:
            sums[name] += values.reshape(-1, values.shape[-1]).mean(axis=0, dtype="float64")
    return ranges, {name: (total / count).tolist() for name, total in sums.items() if np.ndim(total)}


def _values(opened, arrays, count, done):
    """Names and values of the float tensors of one item after the other."""
    tensors = [t for t in opened.interpreter.get_tensor_details() if t["dtype"] is np.float32]
    for index in range(count):
        opened.run({name: array[index : index + 1] for name, array in arrays.items()})
        for tensor in tensors:
            try:
                values = opened.interpreter.get_tensor(tensor["index"])
            except ValueError:  # a tensor inside a delegate, which cannot be read
                continue
            if values.size:
                yield tensor["name"], values
        if done:
            Path(done).write_text(f"{(index + 1) / count}")


def _read_by_dense_layers(content):
    model = read_graph(content)
    tensors = model.subgraphs[0].tensors
    return {tensors[o.inputs[0]].name.decode() for o in operators(model) if o.kind == "FULLY_CONNECTED"}
