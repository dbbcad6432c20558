"""Corrects the biases of a float32 TFLite file for the rounding of its kernels.

A rounded kernel changes the output of a dense layer by its error times the input. The part that is the same
for all items, from the inputs' means, is subtracted from the bias (Nagel et al. 2019, section 4.2,
https://arxiv.org/abs/1906.04721).
"""

import numpy as np

from keras_vit.export.tflite.graph import computing, is_constant, read_graph, write_graph
from keras_vit.export.tflite.rounding import dequantized, stored


def with_corrected_biases(content: bytes, quantized: bytes, means: dict) -> bytes:
    """Returns the float32 file with biases for the kernels of its quantized file.

    `means` are those of dense layers' inputs, from `calibrate`. Layers without a bias stay as they are.
    """
    model, other = read_graph(content), read_graph(quantized)
    pairs = list(zip(computing(model), computing(other), strict=False))
    if [a.kind for (_, a), _ in pairs] != [b.kind for _, (_, b) in pairs]:
        return content  # the quantizer changed more than types
    for (operator, found), (counterpart, _) in pairs:
        if found.kind == "FULLY_CONNECTED" and len(found.inputs) == 3:
            _correct(model, operator, other, int(counterpart.inputs[1]), means)
    return write_graph(model)


def _correct(model, operator, quantized, number, means):
    given, kernel, bias = (model.subgraphs[0].tensors[int(number)] for number in operator.inputs)
    rounded = quantized.subgraphs[0].tensors[number]
    mean = means.get(given.name.decode())
    if mean is None or not all(
        (is_constant(model, kernel), is_constant(model, bias), is_constant(quantized, rounded))
    ):
        return
    if rounded.quantization is None or rounded.quantization.scale is None:  # in float
        return
    error = (dequantized(quantized, rounded) - stored(model, kernel)) @ np.asarray(mean)
    corrected = (stored(model, bias) - error).astype("float32")
    model.buffers[bias.buffer].data = np.frombuffer(corrected.tobytes(), "uint8")
