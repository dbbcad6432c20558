"""Shared by the latency benchmarks: their options, interleaved rounds on one core, and the table."""

import argparse
import json
import os
import statistics
import time
from pathlib import Path

WARM_UP = 3  # rounds


def parser(description, rounds):
    """Returns an `ArgumentParser` with the options `--rounds`, `--core` and `--json`."""
    result = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    result.add_argument("--rounds", type=int, default=rounds, help="measured rounds (default: %(default)s)")
    result.add_argument("--core", type=int, default=0, help="core to run on (default: %(default)s)")
    result.add_argument("--json", type=Path, help="also write the results there")
    return result


def pin(core):
    """Restricts this process to one core, where the operating system can."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})


def median_times(contenders, rounds):
    """Calls functions in interleaved rounds: A B C A B C.

    Args:
        contenders: dict from a name to a function without arguments.
        rounds: int, measured rounds, after `WARM_UP` others.

    Returns:
        Dict from a name to the median CPU time of the calling thread in milliseconds.
    """
    times = {name: [] for name in contenders}
    for number in range(WARM_UP + rounds):
        for name, call in contenders.items():
            started = time.thread_time()
            call()
            if number >= WARM_UP:
                times[name].append(1000 * (time.thread_time() - started))
    return {name: statistics.median(measured) for name, measured in times.items()}


def report(title, medians, sizes, reference):
    """Prints a table of times and sizes.

    Args:
        title: str.
        medians: dict from a name to milliseconds.
        sizes: dict from a name to bytes.
        reference: str, the name that times are relative to.

    Returns:
        Dict from a name to its row, for JSON.
    """
    rows = {}
    print(f"\n{title}")
    for name, median in medians.items():
        ratio = median / medians[reference]
        rows[name] = {"median_ms": round(median, 3), "ratio": round(ratio, 3), "bytes": sizes[name]}
        print(f"  {name:18} {median:8.3f} ms  {ratio:6.3f}  {sizes[name] / 1e6:7.2f} MB", flush=True)
    return rows


def write_rows(path, rows):
    """Writes the results as JSON, if a path is given."""
    if path:
        path.write_text(json.dumps(rows, indent=2) + "\n")
