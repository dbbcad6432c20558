"""Measures TFLite files in interleaved rounds, each next to its own matrix products alone."""

import contextlib
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from keras_vit.errors import ConditionError, InputError
from keras_vit.export.benchmarking.parts import only
from keras_vit.export.benchmarking.signature import signature_names, with_first
from keras_vit.export.measurement import interleaved_ms
from keras_vit.export.prediction.tflite import check_is_tflite
from keras_vit.export.tflite.graph import operators, read_graph
from keras_vit.export.tflite.interpreter import open_interpreter
from keras_vit.export.workers.delegation import delegation
from keras_vit.export.workers.runner import run_worker

TIME_LIMIT = 300  # seconds for three runs
PRODUCTS = frozenset(
    {"FULLY_CONNECTED", "CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "CONV_3D", "BATCH_MATMUL"}
)
WHOLE, FLOOR = "whole", "floor"


def benchmark(
    files: Sequence[str | Path], *, num_threads: int = 1, rounds: int = 30, signature: str | None = None
) -> list[dict[str, Any]]:
    """Measures latency, memory and operators of TFLite files on this machine's CPU.

    Args:
        files: sequence of str or Path.
        num_threads: int, at least 1. Default: 1.
        rounds: int, how often each file runs, at least 2. Default: 30.
        signature: str, which of a file's signatures is measured. Default: the first.

    Returns:
        A list of dicts, one per file: `file`, `bytes`, `signatures` (the first is measured), `num_threads`,
        `clock` (`"cpu"` of the calling thread, or `"wall"`), `median_ms`, `p10_ms`, `p90_ms`, `ratio` (to the
        first file), `peak_memory_bytes` (or None), `partitions` of the XNNPACK delegate, `outside` (a list of
        `kind`, `name` of the operators that TFLite's own kernels run), `floor_ms` and `floor_ratio` (the
        matrix products and convolutions alone; None without any), and `operators`: a list of `kind`, `count`,
        `outside`, and `alone_ms`, the time of all operators of that kind alone (None where they do not run
        without the others), the longest first.

    Raises:
        InputError: a file is missing, damaged, has no such signature, or needs operators that LiteRT does not
            have.

    Example:

    >>> import keras, tempfile
    >>> from keras_vit.export import benchmark
    >>> file = tempfile.mkdtemp() + "/model.tflite"
    >>> model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(64)])
    >>> model.export(file, format="litert", verbose=False)
    >>> (row,) = benchmark([file], rounds=5)
    >>> row["median_ms"] > 0, [operator["kind"] for operator in row["operators"]]
    (True, ['FULLY_CONNECTED'])
    """
    files = [_File(Path(path), num_threads, signature) for path in files]
    contenders = {(i, part): run for i, file in enumerate(files) for part, run in file.contenders().items()}
    clock = time.thread_time if num_threads == 1 else time.perf_counter  # others' work is not the caller's
    invocations = [interpreter.invoke for interpreter in contenders.values()]
    times = dict(zip(contenders, interleaved_ms(invocations, rounds, clock, refill_caches=True), strict=True))
    rows = [
        file.row({part: found for (j, part), found in times.items() if j == i})
        for i, file in enumerate(files)
    ]
    for row in rows:
        row["ratio"] = row["median_ms"] / rows[0]["median_ms"]
    return rows


class _File:
    """A file that runs."""

    def __init__(self, path, num_threads, signature):
        check_is_tflite(path)
        self.path = path
        self.num_threads = num_threads
        self.size = path.stat().st_size
        self.content = _readable(path, signature)
        self.model = read_graph(self.content)
        self.operators = operators(self.model)
        self.kinds = Counter(operator.kind for operator in self.operators)
        _check_builtin(self.operators, path)
        self.memory = _peak_memory(self.content, path, num_threads)

    def contenders(self):
        """What is timed: the whole, its matrix products, and all operators of each kind."""
        parts = {kind: {kind} for kind in self.kinds}
        if PRODUCTS & self.kinds.keys():
            parts[FLOOR] = PRODUCTS
        found = {WHOLE: open_interpreter(self.content, self.num_threads)}
        for name, kinds in parts.items():
            with contextlib.suppress(RuntimeError):  # XNNPACK refuses some operators when alone
                found[name] = open_interpreter(only(self.model, kinds), self.num_threads)
                found[name].invoke()
        return found

    def row(self, times):
        partitions, outside = delegation(self.content, self.operators)
        medians = {part: statistics.median(found) for part, found in times.items()}
        low, *_, high = statistics.quantiles(times[WHOLE], n=10, method="inclusive")
        whole, floor = medians[WHOLE], medians.get(FLOOR)
        return {
            "file": str(self.path),
            "bytes": self.size,
            "signatures": signature_names(self.model),
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
