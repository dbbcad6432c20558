"""Corrects the biases of a float32 TFLite file for the rounding of its kernels.

A rounded kernel changes the output of a dense layer by its error times the input. The part that is the same
for all items, from the inputs' means, is subtracted from the bias (Nagel et al. 2019, section 4.2,
https://arxiv.org/abs/1906.04721).
"""

import numpy as np

from keras_vit.export.tflite.graph import is_constant, operators, read_graph, write_graph
from keras_vit.export.tflite.rounding import dequantized

CONVERSIONS = ("QUANTIZE", "DEQUANTIZE")


def with_corrected_biases(content: bytes, quantized: bytes, means: dict) -> bytes:
    """Returns the float32 file with biases for the kernels of its quantized file.

    `means` are those of dense layers' inputs, from `calibrate`. Layers without a bias stay as they are.
    """
    model, other = read_graph(content), read_graph(quantized)
    counterparts = [
        operator
        for operator, found in zip(other.subgraphs[0].operators, operators(other), strict=True)
        if found.kind not in CONVERSIONS
    ]
    pairs = zip(model.subgraphs[0].operators, operators(model), counterparts, strict=True)
    for operator, found, counterpart in pairs:
        if found.kind == "FULLY_CONNECTED" and len(found.inputs) == 3:
            rounded = other.subgraphs[0].tensors[int(counterpart.inputs[1])]
            if rounded.quantization is not None and rounded.quantization.scale is not None:
                _correct(model, operator, dequantized(other, rounded), means)
    return write_graph(model)


def _correct(model, operator, rounded, means):
    given, kernel, bias = (model.subgraphs[0].tensors[int(number)] for number in operator.inputs)
    mean = means.get(given.name.decode())
    if mean is None or not (is_constant(model, kernel) and is_constant(model, bias)):
        return
    error = (rounded - _values(model, kernel)) @ np.asarray(mean)
    corrected = (_values(model, bias) - error).astype("float32")
    model.buffers[bias.buffer].data = np.frombuffer(corrected.tobytes(), "uint8")


def _values(model, tensor):
    return np.asarray(model.buffers[tensor.buffer].data, "uint8").view("float32").reshape(tensor.shape)
