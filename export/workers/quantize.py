"""Quantizes a float32 TFLite file with ai-edge-quantizer."""

import contextlib
import os
import re
from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_quantizer.algorithm_manager import AlgorithmName
from ai_edge_quantizer.quantizer import Quantizer

from keras_vit.export.tflite.graph import operators, read_graph, write_graph
from keras_vit.export.workers.corrected_biases import with_corrected_biases

_LOOPS = "the ranges of values in a loop, such as that of a recurrent layer, are not known: take dynamic_int8"


def run(file, rules, ranges, path, spared=(), means=None):
    """Writes a quantized file; with `means` from `calibrate` its biases are corrected for rounded kernels."""
    content = Path(file).read_bytes()
    result = quantized(content, rules, ranges, spared)
    if means:
        result = quantized(with_corrected_biases(content, result, means), rules, ranges, spared)
    Path(path).write_bytes(result)


def quantized(content, rules, ranges, spared=()):
    """Returns the bytes of a float32 file quantized by rules, the fields of `keras_vit.export.variants.Rule`.

    `ranges` come from `calibrate`. `spared` are rules for single operators, which win over the others; their
    `names` are those of the operators' outputs.
    """
    if any(activation_bits == 16 for _, _, activation_bits, _ in rules):
        content = _with_free_scales(content)
    quantizer = Quantizer(bytearray(content))
    for rule in rules:
        _add_rule(quantizer, *rule)
    for *rule, name in spared:
        _add_rule(quantizer, *rule, f"^{re.escape(name)};")  # the names of outputs, each with a semicolon
    statistics = None
    if quantizer.need_calibration:
        statistics = {name: _as_statistics(*found) for name, found in ranges.items()}
    try:
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stderr(nowhere):  # its progress bars
            result = quantizer.quantize(statistics, enable_progress_bar=False, enable_progress_report=False)
    except ValueError as error:
        if "quantization parameters" in str(error) and _has_loop(content):
            raise ValueError(_LOOPS) from None
        raise
    return _with_shared_ends(content, bytes(result.quantized_model))


def _with_shared_ends(content, result):
    """Fixes the outputs of a quantized file that are inputs too, or one tensor under several names.

    ai-edge-quantizer gives their new tensors to the graph, but not to its signature, and returns an input as
    it was quantized.
    """
    before, after = (model.subgraphs[0] for model in (read_graph(content), read_graph(result)))
    old, new = ([*map(int, graph.outputs)] for graph in (before, after))
    inputs = dict(zip(map(int, before.inputs), map(int, after.inputs), strict=True))
    if len(set(old)) == len(old) and not inputs.keys() & set(old):
        return result
    places = {index: inputs.get(index, other) for index, other in zip(old, new, strict=True)}
    model = read_graph(result)
    model.subgraphs[0].outputs = [places[index] for index in old]
    for given, signature in zip(read_graph(content).signatureDefs, model.signatureDefs, strict=True):
        if not signature.subgraphIndex:
            for entry, known in zip(signature.outputs, given.outputs, strict=True):
                entry.tensorIndex = places[known.tensorIndex]
    return write_graph(model)


def _has_loop(content):
    """Whether a file has a WHILE operator, whose inner tensors calibration does not see."""
    return any(operator.kind == "WHILE" for operator in operators(read_graph(content)))


def _with_free_scales(content):
    """Allows any scale for 16-bit sums: without this flag the runtime expects powers of two."""
    model = read_graph(content)
    for operator in model.subgraphs[0].operators:
        if isinstance(operator.builtinOptions, schema.AddOptionsT | schema.SubOptionsT):
            operator.builtinOptions.potScaleInt16 = False
    return write_graph(model)


def _add_rule(quantizer, operators, weight_bits, activation_bits, names):
    if not weight_bits:
        quantizer.update_quantization_recipe(names, operators, algorithm_key=AlgorithmName.NO_QUANTIZE)
    elif activation_bits:
        quantizer.add_static_config(names, operators, activation_bits, weight_bits)
    else:
        quantizer.add_dynamic_config(names, operators, weight_bits)


def _as_statistics(low, high, rank):
    return {"min": np.full((1,) * rank, low, "float32"), "max": np.full((1,) * rank, high, "float32")}
