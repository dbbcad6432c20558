"""Measures TFLite files in interleaved rounds, each next to its own matrix products alone."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from keras_vit.errors import InputError, listed
from keras_vit.export.benchmarking.measured_file import MeasuredFile
from keras_vit.export.measurement import interleaved_ms


def benchmark(
    files: Sequence[str | Path],
    *,
    num_threads: int = 1,
    rounds: int = 30,
    signature: str | None = None,
    shapes: Mapping[str, Sequence[int]] | None = None,
) -> list[dict[str, Any]]:
    """Measures latency, memory and operators of TFLite files on this machine's CPU.

    Files may have any inputs of numbers. Floats are random in [0, 1], whole numbers are 0.

    Args:
        files: sequence of str or Path.
        num_threads: int, at least 1. Default: 1.
        rounds: int, how often each file runs, at least 2. Default: 30.
        signature: str, which of a file's signatures is measured. Default: the first.
        shapes: dict from inputs whose sizes a file leaves open to their shapes, the batch included; the key
            `""` is the only such input. Default: None, for files whose batch alone is open: it is 1.

    Returns:
        A list of dicts, one per file: `file`, `bytes`, `signatures` (the first is measured), `inputs` (a list
        of `name`, `dtype`, `shape`), `num_threads`, `clock` (times are `"cpu"`, the CPU time of the
        calling thread, or with several threads `"wall"`), `median_ms`, `p10_ms` and `p90_ms` of a run without
        passing inputs and outputs, `ratio` (to the first file), `peak_memory_bytes` (or None),
        `partitions` of the XNNPACK delegate, `outside` (a list of `kind`, `name` of the operators that
        TFLite's own kernels run), `floor_ms` and `floor_ratio` (the matrix products and convolutions alone;
        None without any), and `operators`: a list of `kind`, `count`, `outside`, and `alone_ms`, the time of
        all operators of that kind alone (None where they do not run without the others), the longest first.

    Raises:
        InputError: there is no file, or one is missing, damaged, has no such signature, takes strings, leaves
            sizes open that `shapes` does not have, or needs operators that LiteRT does not have.

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
    paths = [] if isinstance(files, str | Path) else list(files)
    if not paths:
        raise InputError(f"Expected a list of at least one .tflite file, received {files!r}.")
    files = [MeasuredFile(Path(path), num_threads, signature, shapes or {}) for path in paths]
    _check_used(shapes or {}, files)
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


def _check_used(shapes, files):
    inputs = {name for file in files for name in file.open_inputs}
    for name in shapes:
        if name not in inputs and (name or not inputs):
            raise InputError(
                f"Expected shapes of inputs that leave sizes open ({listed(sorted(inputs)) or 'none here'}), "
                f"received {shapes[name]} for {name or 'the input'}."
            )
