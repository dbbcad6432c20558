"""What was measured of TFLite files, here and on a phone, as tables for the terminal."""

from collections import Counter
from pathlib import Path

from rich.markup import escape
from rich.table import Table

OPERATORS = 10  # the rest of them is one line


def files_table(rows):
    """Returns a `rich.table.Table` with one line per file that `benchmark` measured."""
    table = _table("file", "MB", "memory", "median ms", "10 - 90 %", "ratio", "floor", "parts", "outside")
    for name, row in zip(_names(rows), rows, strict=True):
        table.add_row(
            escape(name),
            *(_number(row[key], 1e6) for key in ("bytes", "peak_memory_bytes")),
            f"{row['median_ms']:.3f}",
            f"{row['p10_ms']:.3f}-{row['p90_ms']:.3f}",
            f"{row['ratio']:.3f}",
            "-" if row["floor_ms"] is None else f"{100 * row['floor_ratio']:.0f} %",
            str(row["partitions"]),
            str(len(row["outside"])),
        )
    return table


def operators_table(row):
    """Returns a `rich.table.Table` with one line per kind of operator in a file."""
    table = _table("operators", "count", "alone", "of the file's time", "outside XNNPACK")
    shown, rest = row["operators"][:OPERATORS], row["operators"][OPERATORS:]
    if rest:
        sums = {key: sum(line[key] or 0 for line in rest) for key in ("count", "alone_ms", "outside")}
        shown = [*shown, {"kind": f"{len(rest)} other kinds", **sums}]
    for line in shown:
        alone = "-", "-"
        if line["alone_ms"] is not None:
            alone = f"{line['alone_ms']:.3f} ms", f"{100 * line['alone_ms'] / row['median_ms']:.0f} %"
        table.add_row(line["kind"], str(line["count"]), *alone, str(line["outside"] or ""))
    return table


def phone_table(rows):
    """Returns a `rich.table.Table` with one line per file and processor that `benchmark_android` measured."""
    table = _table("file", "on", "median ms", "95 %", "start ms", "MB", "operators taken", "")
    for name, row in zip(_names(rows), rows, strict=True):
        table.add_row(
            escape(name),
            row["processor"].upper(),
            *(_number(row[key]) for key in ("latency_ms", "p95_ms", "init_ms", "memory_mb")),
            "-" if row["nodes"] is None else f"{row['taken']} of {row['nodes']}",
            "failed" if row["failure"] else "fell back to the CPU" if row["fell_back"] else "",
        )
    return table


def outside_lines(row, most=5):
    """Returns a list of str: which operators break the graph into partitions, and where."""
    lines = []
    for kind, count in Counter(operator["kind"] for operator in row["outside"]).most_common(most):
        first = next(operator["name"] for operator in row["outside"] if operator["kind"] == kind)
        lines.append(f"{count} {kind}, the first at {first}")
    return lines


def _names(rows):
    """The names of files without their ending; with the folder where several have one name."""
    paths = [Path(row["file"]).with_suffix("") for row in rows]
    counts = Counter(path.name for path in {*paths})
    return [path.name if counts[path.name] == 1 else str(path) for path in paths]


def _table(first, *others):
    table = Table(box=None, pad_edge=False, collapse_padding=True)
    table.add_column(first, overflow="fold")
    for heading in others:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _number(value, unit=1):
    return "-" if value is None else f"{value / unit:.2f}"
