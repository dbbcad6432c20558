"""Quantises a float32 file: `python quantize_worker.py FP32.tflite JOB.json OUT.tflite`.

The job holds `rules` (see `keras_vit.export.quantize_rules`), `ranges` (what `calibrate_worker.py` wrote, or
null) and `float_operators`, names of operators that are left in float.
"""

import contextlib
import json
import os
import re
import sys
from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools import flatbuffer_utils
from ai_edge_quantizer.algorithm_manager import AlgorithmName
from ai_edge_quantizer.quantizer import Quantizer


def main():
    file, job, path = sys.argv[1:]
    job = json.loads(Path(job).read_text())
    ranges = None if job["ranges"] is None else json.loads(Path(job["ranges"]).read_text())
    content = Path(file).read_bytes()
    Path(path).write_bytes(quantized(content, job["rules"], ranges, job["float_operators"]))


def quantized(content, rules, ranges, float_operators=()):
    """Returns the bytes of the quantised file.

    Args:
        content: bytes of the float32 file.
        rules: list of `[operators, weight_bits, activation_bits, names]`.
        ranges: dict from a tensor's name to `[low, high, rank]`, or None.
        float_operators: names of operators (of their outputs) that are left in float.
    """
    if any(activation_bits == 16 for _, _, activation_bits, _ in rules):
        content = _with_free_scales(content)
    quantizer = Quantizer(bytearray(content))
    for operators, weight_bits, activation_bits, names in rules:
        if not weight_bits:
            _leave_in_float(quantizer, names, operators)
        elif activation_bits:
            quantizer.add_static_config(names, operators, activation_bits, weight_bits)
        else:
            quantizer.add_dynamic_config(names, operators, weight_bits)
    for name in float_operators:
        _leave_in_float(quantizer, f"^{re.escape(name)};", "*")  # outputs, each with a semicolon behind it
    statistics = None
    if quantizer.need_calibration:
        statistics = {name: _as_statistics(*found) for name, found in ranges.items()}
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stderr(nowhere):  # its progress bars
        result = quantizer.quantize(statistics, enable_progress_bar=False, enable_progress_report=False)
    return bytes(result.quantized_model)


def _with_free_scales(content):
    """Lets 16-bit sums have any scale: without word of it the runtime expects powers of two."""
    model = flatbuffer_utils.convert_bytearray_to_object(bytearray(content))
    for operator in model.subgraphs[0].operators:
        if isinstance(operator.builtinOptions, schema.AddOptionsT | schema.SubOptionsT):
            operator.builtinOptions.potScaleInt16 = False
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def _leave_in_float(quantizer, names, operators):
    quantizer.update_quantization_recipe(names, operators, algorithm_key=AlgorithmName.NO_QUANTIZE)


def _as_statistics(low, high, rank):
    return {"min": np.full((1,) * rank, low, "float32"), "max": np.full((1,) * rank, high, "float32")}


if __name__ == "__main__":
    main()
