"""Quantizes a float32 TFLite file with ai-edge-quantizer."""

import contextlib
import os
import re
from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools import flatbuffer_utils
from ai_edge_quantizer.algorithm_manager import AlgorithmName
from ai_edge_quantizer.quantizer import Quantizer


def run(file, rules, ranges, float_operators, path):
    Path(path).write_bytes(quantized(Path(file).read_bytes(), rules, ranges, float_operators))


def quantized(content, rules, ranges, float_operators=()):
    """Returns the bytes of a float32 file quantized by rules, the fields of `keras_vit.export.variants.Rule`.

    `ranges` come from `calibrate`. Operators whose outputs have the names `float_operators` stay in float.
    """
    if any(activation_bits == 16 for _, _, activation_bits, _ in rules):
        content = _with_free_scales(content)
    quantizer = Quantizer(bytearray(content))
    for operators, weight_bits, activation_bits, names in rules:
        if not weight_bits:
            _keep_float(quantizer, names, operators)
        elif activation_bits:
            quantizer.add_static_config(names, operators, activation_bits, weight_bits)
        else:
            quantizer.add_dynamic_config(names, operators, weight_bits)
    for name in float_operators:
        _keep_float(quantizer, f"^{re.escape(name)};", "*")  # the names of the outputs, each with a semicolon
    statistics = None
    if quantizer.need_calibration:
        statistics = {name: _as_statistics(*found) for name, found in ranges.items()}
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stderr(nowhere):  # its progress bars
        result = quantizer.quantize(statistics, enable_progress_bar=False, enable_progress_report=False)
    return bytes(result.quantized_model)


def _with_free_scales(content):
    """Allows any scale for 16-bit sums: without this flag the runtime expects powers of two."""
    model = flatbuffer_utils.convert_bytearray_to_object(bytearray(content))
    for operator in model.subgraphs[0].operators:
        if isinstance(operator.builtinOptions, schema.AddOptionsT | schema.SubOptionsT):
            operator.builtinOptions.potScaleInt16 = False
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def _keep_float(quantizer, names, operators):
    quantizer.update_quantization_recipe(names, operators, algorithm_key=AlgorithmName.NO_QUANTIZE)


def _as_statistics(low, high, rank):
    return {"min": np.full((1,) * rank, low, "float32"), "max": np.full((1,) * rank, high, "float32")}
