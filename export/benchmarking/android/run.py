"""Measures TFLite files on a phone."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from keras_vit.errors import InputError
from keras_vit.export.benchmarking.android.output import parsed
from keras_vit.export.benchmarking.android.phone import Phone
from keras_vit.export.benchmarking.android.tool import find_tool
from keras_vit.export.prediction.tflite import check_is_tflite
from keras_vit.export.verification.record import sha256

PROCESSORS = {  # and the options of the tool
    "cpu": (),
    "gpu": ("--use_gpu=true",),
    "npu": ("--use_nnapi=true", "--disable_nnapi_cpu=true"),
}


def benchmark_android(
    files: Sequence[str | Path],
    *,
    serial: str | None = None,
    tool: str | Path | None = None,
    processors: Sequence[str] = (),
    num_threads: int = 1,
    rounds: int = 30,
) -> list[dict[str, Any]]:
    """Measures TFLite files on a phone that adb reaches, by LiteRT's `benchmark_model`.

    Args:
        files: paths of TFLite files.
        serial: of the phone; None for the only one.
        tool: path of `benchmark_model` for the phone; None downloads the published one.
        processors: some of `"cpu"`, `"gpu"`, `"npu"` that the phone must have; none for all that it has.
        num_threads, rounds: of a run on the CPU, and runs of each.

    Returns:
        A list of dicts, one for each file and processor: those of `android.output.parsed`, and `file`,
        `sha256`, `bytes`, `processor`, `num_threads` and `phone`.

    Raises:
        InputError: no adb, phone or tool, a file of another kind, or a phone without one of `processors`.
    """
    paths = [Path(file) for file in files]
    for path in paths:
        check_is_tflite(path)
    phone = Phone(serial)
    program = find_tool(tool, phone.facts["abi"])
    rows = []
    try:
        command = phone.push(program, "benchmark_model")
        phone.shell("chmod", "755", command)
        for path in paths:
            graph = phone.push(path, "model.tflite")
            facts = {"file": str(path), "sha256": sha256(path), "bytes": path.stat().st_size}
            for processor in processors or PROCESSORS:
                words = (f"--graph={graph}", f"--num_threads={num_threads}", f"--num_runs={rounds}")
                text = phone.shell(command, *words, *PROCESSORS[processor], check=False)
                figures = parsed(text, processor)
                if figures["failure"]:
                    phone.shell("true")  # raises where the phone is gone, which says nothing of the file
                _check_there(figures, processor, processors, phone)
                about = {"processor": processor, "num_threads": num_threads, "phone": phone.facts}
                rows.append({**facts, **about, **figures})
    finally:
        phone.clear()
    return rows


def warnings_of(row: dict[str, Any]) -> list[str]:
    """Returns a line where a run was not what was asked for: on the CPU instead, as a whole or in part."""
    where, file = row["processor"].upper(), Path(row["file"]).name
    if row["failure"]:
        return [f"{file} did not run on the {where}: {row['failure']}"]
    if not row["fell_back"]:
        return []
    if row["taken"]:
        left = row["nodes"] - row["taken"]
        return [f"{file} on the {where}: {left} of {row['nodes']} operators ran on the CPU instead"]
    return [
        f"{file} on the {where}: LiteRT fell back to the CPU, wholly or in part; it is not the {where}'s time"
    ]


def _check_there(figures, processor, asked, phone):
    """Raises InputError where a processor that was asked for runs nothing."""
    if processor in asked and processor != "cpu" and (figures["failure"] or figures["taken"] == 0):
        reason = figures["failure"] or "everything ran on the CPU instead"
        raise InputError(
            f"{phone.facts['model']} has no {processor.upper()} that LiteRT can use for this file: {reason}. "
            f"Leave out --on {processor}."
        )
