"""Measures what each layer costs when it alone is quantized."""

import re
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from scipy.special import rel_entr

from keras_vit.export.images.app_input import run_images
from keras_vit.export.tflite.graph import operators, read_graph
from keras_vit.export.workers.quantize import quantized

ENDS = re.compile(r"/(MatMul|BiasAdd|Conv2D|depthwise|separable_conv2d|Reshape|Relu6?)(_?\d+)?$")


def run(file, rules, ranges, images):
    """Returns a list of `layer`, `operators` and `divergence`, the worst first."""
    content, images = Path(file).read_bytes(), np.load(images)
    layers = _layers_of(content)
    all_names = [name for names in layers.values() for name in names]
    expected = _probabilities(content, images)
    rows = []
    for layer, names in layers.items():
        others = [name for name in all_names if name not in names]
        alone = quantized(content, rules, ranges, others)
        divergence = _divergence(expected, _probabilities(alone, images))
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


def _probabilities(content, images):
    interpreter = Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    (inside,) = interpreter.get_input_details()
    outside = min(interpreter.get_output_details(), key=lambda tensor: len(tensor["shape"]))
    answers = []
    for image in images:
        run_images(interpreter, inside, image[None])
        answers.append(interpreter.get_tensor(outside["index"])[0])
    return np.stack(answers)


def _divergence(expected, answers):
    """Mean Kullback-Leibler divergence in nats."""
    expected, answers = (np.clip(p.astype("float64"), 1e-9, 1) for p in (expected, answers))
    return float(np.mean(rel_entr(expected, answers).sum(axis=1)))
