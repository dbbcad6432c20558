"""A TFLite file that is measured: the whole, and the parts of it that run alone."""

import contextlib
import functools
import statistics
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

from keras_vit.errors import ConditionError, InputError
from keras_vit.export.benchmarking.inputs import check_numbers, describe_inputs, open_inputs, with_sizes
from keras_vit.export.benchmarking.parts import WHOLE_NUMBERS, only
from keras_vit.export.benchmarking.signature import signature_names, with_first
from keras_vit.export.prediction.tflite import check_is_tflite
from keras_vit.export.tflite.graph import operators, read_graph
from keras_vit.export.tflite.interpreter import open_interpreter
from keras_vit.export.workers.delegation import delegation
from keras_vit.export.workers.runner import run_worker

TIME_LIMIT = 300  # seconds for three runs
PRODUCTS = frozenset(
    {"FULLY_CONNECTED", "CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "CONV_3D", "BATCH_MATMUL"}
)
VARIABLES = {"VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE", "CALL_ONCE"}  # they share what no part has
WHOLE, FLOOR = "whole", "floor"


class MeasuredFile:
    """A file that runs."""

    def __init__(self, path, num_threads, signature, shapes):
        check_is_tflite(path)
        self.path = path
        self.num_threads = num_threads
        self.size = path.stat().st_size
        content = _readable(path, signature)
        original = read_graph(content)
        self.open_inputs = open_inputs(original)
        check_numbers(original, path)
        _check_builtin(operators(original), path)
        self.content = with_sizes(content, shapes, path)
        self.model = read_graph(self.content)
        self.operators = operators(self.model)
        self.kinds = Counter(operator.kind for operator in self.operators)
        self.memory = _peak_memory(self.content, path, num_threads)

    def contenders(self):
        """What is timed: the whole, its matrix products, and all operators of each kind."""
        parts = {kind: {kind} for kind in self.kinds}
        if PRODUCTS & self.kinds.keys():
            parts[FLOOR] = PRODUCTS
        found = {WHOLE: open_interpreter(self.content, self.num_threads)}
        for name, kinds in parts.items():
            if not kinds & VARIABLES:
                with contextlib.suppress(RuntimeError, ValueError):  # XNNPACK refuses some when alone
                    found[name] = self._part(kinds)
        return found

    def _part(self, kinds):
        """An interpreter of the operators of some kinds, which has run once."""
        part = open_interpreter(only(self._sized_model, kinds), self.num_threads)
        if any(np.dtype(tensor["dtype"]).kind in "biu" for tensor in part.get_input_details()):
            self._plain_run.copy_numbers(part)
        part.invoke()
        return part

    @functools.cached_property
    def _plain_run(self):
        return PlainRun(self.content)

    @functools.cached_property
    def _sized_model(self):
        """The model, in which the sizes of all tensors are those of the open inputs that were given."""
        if self.open_inputs:
            self._plain_run.fix_sizes(self.model)
        return self.model

    def row(self, times):
        partitions, outside = delegation(self.content, self.operators)
        medians = {part: statistics.median(found) for part, found in times.items()}
        low, *_, high = statistics.quantiles(times[WHOLE], n=10, method="inclusive")
        whole, floor = medians[WHOLE], medians.get(FLOOR)
        return {
            "file": str(self.path),
            "bytes": self.size,
            "signatures": signature_names(self.model),
            "inputs": describe_inputs(self.model),
            "num_threads": self.num_threads,
            "clock": "cpu" if self.num_threads == 1 else "wall",
            "median_ms": whole,
            "p10_ms": low,
            "p90_ms": high,
            "peak_memory_bytes": self.memory,
            "partitions": partitions,
            "outside": [{"kind": operator.kind, "name": operator.name} for operator in outside],
            "floor_ms": floor,
            "floor_ratio": floor and floor / whole,
            "operators": self._by_kind(medians, Counter(operator.kind for operator in outside)),
        }

    def _by_kind(self, medians, outside):
        rows = [
            {"kind": kind, "count": count, "outside": outside[kind], "alone_ms": medians.get(kind)}
            for kind, count in self.kinds.items()
        ]
        return sorted(rows, key=lambda row: -(row["alone_ms"] or 0))


class PlainRun:
    """A file that ran once, in TFLite's own kernels, which keep the size and the value of every tensor."""

    def __init__(self, content: bytes):
        self.interpreter = open_interpreter(content, plain=True)
        self.interpreter.invoke()

    def fix_sizes(self, model):
        """Gives the tensors of a `ModelT` of the file the sizes that they had."""
        tensors = model.subgraphs[0].tensors
        for detail in self.interpreter.get_tensor_details():
            if detail["index"] < len(tensors):
                tensor = tensors[detail["index"]]
                tensor.shape, tensor.shapeSignature = list(map(int, detail["shape"])), None

    def copy_numbers(self, part):
        """Gives a part of the file the sizes, indices and conditions that it reads in the whole."""
        for detail in part.get_input_details():
            if np.dtype(detail["dtype"]).name.upper() in WHOLE_NUMBERS:
                part.set_tensor(detail["index"], self.interpreter.get_tensor(detail["index"]))


def _readable(path, signature):
    content = path.read_bytes()
    try:
        read_graph(content)
    except Exception as error:  # the schema's code trusts every offset in the file
        raise InputError(f"{path} is damaged: it cannot be read as a TFLite file.") from error
    return content if signature is None else with_first(content, signature, path)


def _check_builtin(found, path):
    custom = sorted({operator.kind for operator in found if operator.is_custom})
    if custom:
        raise InputError(
            f"{path} needs operators that LiteRT does not have: {', '.join(custom)}. keras-vit doctor "
            "shows which layers need them. Convert the model again with builtin operators only."
        )


def _peak_memory(content, path, num_threads):
    """Runs the file in a separate process first, because it may crash."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.tflite"
        file.write_bytes(content)
        try:
            return run_worker("memory", file=file, num_threads=num_threads, time_limit=TIME_LIMIT)
        except ConditionError as error:
            raise InputError(f"{path} does not run: {error}.") from error
