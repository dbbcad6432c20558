"""Measures what each layer costs when it alone is quantized."""

import re
from pathlib import Path

import numpy as np

from keras_vit.export.tflite.graph import operators, read_graph
from keras_vit.export.tflite.named import NamedInterpreter
from keras_vit.export.workers.quantize import quantized

ENDS = re.compile(r"/(MatMul|BiasAdd|Conv2D|depthwise|separable_conv2d|Reshape|Relu6?)(_?\d+)?$")


def run(file, rules, ranges, items):
    """Returns a list of `layer`, `operators` and `divergence`, the worst first.

    `items` is an `.npz` of inputs by name.
    """
    content, items = Path(file).read_bytes(), dict(np.load(items))
    layers = _layers_of(content)
    all_names = [name for names in layers.values() for name in names]
    expected = NamedInterpreter(content).run(items)
    rows = []
    for layer, names in layers.items():
        others = [name for name in all_names if name not in names]
        alone = quantized(content, rules, ranges, others)
        divergence = _divergence(expected, NamedInterpreter(alone).run(items))
        rows.append({"layer": layer, "operators": names, "divergence": divergence})
    return sorted(rows, key=lambda row: -row["divergence"])


def _layers_of(content):
    """Returns a dict from a layer's name to the names of its operators' outputs."""
    layers = {}
    for operator in operators(read_graph(content)):
        layers.setdefault(_layer_of(operator.name), []).append(operator.name)
    return layers


def _layer_of(name):
    """The layer in the name of an output: of fused operators, the one that has the weights."""
    parts = [part for part in name.split(";") if part]
    weighted = [part for part in parts if ENDS.search(part) and "/" in part]
    return (weighted or parts)[-1].rpartition("/")[0] or parts[0]


def _divergence(expected, found):
    """The mean squared difference relative to the variance, the mean over the outputs."""
    return sum(_relative_error(values, found[name]) for name, values in expected.items()) / len(expected)


def _relative_error(expected, found):
    expected = expected.astype("float64")
    return float(np.mean((found - expected) ** 2) / (expected.var(axis=0).mean() or 1))
