"""Measures what quantization does to each layer's own output, for all layers at once.

The float32 file runs on a few items. Each operator is then computed once more from the same inputs, rounded
as the quantized file rounds them, with that file's weights; its output is rounded the same way. No layer has
the errors of those before it, so that the figures of two layers compare.
"""

import re
from pathlib import Path

import numpy as np

from keras_vit.export.tflite.graph import computing, is_constant, operators, read_graph
from keras_vit.export.tflite.named import NamedInterpreter
from keras_vit.export.tflite.rounding import Rounding, dequantized, dynamically_rounded
from keras_vit.export.tflite.single_operator import single_operator
from keras_vit.export.workers.quantize import quantized

IN_FLOAT = ("*", 0, 0)  # a rule, without names
ENDS = re.compile(r"/(MatMul|BiasAdd|Conv2D|depthwise|separable_conv2d|Reshape|Relu6?)(_?\d+)?$")
# A channel that hardly varies is compared with this share of the median variance instead of its own.
LEAST_VARIANCE = 0.01
WORTH = 0.25  # the share of its error that a spared operator may keep; else it stays in float


def run(file, rules, spared, ranges, items, done=None):
    """Returns a list of `layer`, `error` and `spared`, the worst first.

    The error is the noise power of an output relative to its variance, the mean over channels, so that one
    channel of large values does not hide the others; summed over the layer's operators. `spared` are the
    rules with which `quantize` treats the layer better: the given ones where they help, else float. The
    share of the items that is measured is written to the file `done`.
    """
    content = Path(file).read_bytes()
    model = read_graph(content)
    usual, better = (_probes(model, content, each, ranges) for each in (rules, spared))
    _measure(content, dict(np.load(items)), [*usual.values(), *better.values()], done)
    errors = {name: probe.error() for name, probe in usual.items()}
    rows = []
    for layer, names in _layers_of(model).items():
        names = [name for name in names if name in errors]
        chosen = [rule for name in names for rule in _spared(name, errors[name], better.get(name), spared)]
        if names:
            rows.append({"layer": layer, "error": sum(errors[name] for name in names), "spared": chosen})
    return sorted(rows, key=lambda row: -row["error"])


def _spared(name, error, probe, rules):
    helps = probe is not None and probe.error() <= WORTH * error
    return [[*rule[:3], name] for rule in rules] if helps else [[*IN_FLOAT, name]]


def _layers_of(model):
    """Returns a dict from a layer's name to the names of its operators' outputs."""
    layers = {}
    for operator in operators(model):
        layers.setdefault(_layer_of(operator.name), []).append(operator.name)
    return layers


def _layer_of(name):
    """The layer in the name of an output: of fused operators, the one that has the weights."""
    parts = [part for part in name.split(";") if part]
    weighted = [part for part in parts if ENDS.search(part) and "/" in part]
    return (weighted or parts)[-1].rpartition("/")[0] or parts[0]


def _probes(float_model, content, rules, ranges):
    """Returns a dict from an operator's name to its `Probe`, for those in which anything is rounded."""
    if not any(weight_bits for _, weight_bits, *_ in rules):
        return {}
    quantized_model = read_graph(quantized(content, rules, ranges))
    compared = _compared_with(float_model)
    probes = {}
    for (operator, described), (counterpart, _) in zip(
        computing(float_model), computing(quantized_model), strict=True
    ):
        probe = Probe(float_model, quantized_model, operator, counterpart, compared[described.outputs[0]])
        if probe.is_rounded:
            probes[described.name] = probe
    return probes


def _compared_with(model):
    """Returns a dict from a tensor to the one whose variance its error is compared with.

    What is added to other values matters only as much as it changes their sum.
    """
    found, readers, tensors = operators(model), {}, model.subgraphs[0].tensors
    for operator in found:
        for tensor in operator.inputs:
            readers.setdefault(tensor, []).append(operator)
    compared = {}
    for operator in reversed(found):
        (tensor, *_), (reader, *others) = operator.outputs, readers.get(operator.outputs[0]) or [None]
        passes = reader is not None and not others and reader.kind in ("RESHAPE", "ADD")
        same_channels = passes and _last_axis(tensors[reader.outputs[0]]) == _last_axis(tensors[tensor])
        compared[tensor] = compared[reader.outputs[0]] if same_channels else tensor
    return compared


def _last_axis(tensor):
    return list(tensor.shape)[-1:]


class Probe:
    """One operator, computed from float values that are rounded as in the quantized file."""

    def __init__(self, float_model, quantized_model, operator, counterpart, compared):
        tensors = quantized_model.subgraphs[0].tensors
        self.output, self.compared = int(operator.outputs[0]), compared
        self.after = Rounding.of(tensors[counterpart.outputs[0]])
        constants, self.inputs = {}, {}  # by number: one may be read twice
        for number, other in zip(map(int, operator.inputs), map(int, counterpart.inputs), strict=True):
            if number < 0:
                continue
            tensor = tensors[other]
            if not is_constant(float_model, float_model.subgraphs[0].tensors[number]):
                self.inputs[number] = Rounding.of(tensor)
            elif tensor.quantization is not None and tensor.quantization.scale is not None:
                constants[number] = dequantized(quantized_model, tensor)
        self.is_dynamic = bool(constants) and self.after is None
        self.is_rounded = bool(constants) or self.after is not None
        self.noise, self.sum, self.squares, self.count = 0.0, 0.0, 0.0, 0
        self._run = single_operator(float_model, operator, constants) if self.is_rounded else None

    def add(self, value_of):
        """Measures the operator on one item; `value_of` returns a tensor's value by number."""
        inputs = [self._rounded(value_of(number), rounding) for number, rounding in self.inputs.items()]
        answer = self._run(*inputs)
        answer = answer if self.after is None else self.after(answer)
        noise, compared = answer - value_of(self.output), value_of(self.compared)
        self.noise = self.noise + np.square(_channels(noise), dtype="float64").mean(axis=0)
        compared = _channels(compared).astype("float64")
        self.sum = self.sum + compared.mean(axis=0)
        self.squares = self.squares + np.square(compared).mean(axis=0)
        self.count += 1

    def error(self):
        variance = self.squares / self.count - np.square(self.sum / self.count)
        least = max(LEAST_VARIANCE * np.median(variance), 1e-12)
        return float(np.mean(self.noise / self.count / np.maximum(variance, least)))

    def _rounded(self, value, rounding):
        if rounding is not None:
            return rounding(value)
        return dynamically_rounded(value) if self.is_dynamic and value.dtype == np.float32 else value


def _channels(value):
    return value.reshape(-1, value.shape[-1]) if value.ndim else value.reshape(1, 1)


def _measure(content, items, probes, done):
    opened = NamedInterpreter(content, preserve_all_tensors=True)
    count = len(next(iter(items.values())))
    for index in range(count):
        opened.run({name: array[index : index + 1] for name, array in items.items()})
        for probe in probes:
            probe.add(opened.interpreter.get_tensor)
        if done:
            Path(done).write_text(f"{(index + 1) / count}")
