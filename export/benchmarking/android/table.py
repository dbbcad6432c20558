"""What was measured on a phone, as a table for the terminal."""

from pathlib import Path

from rich.markup import escape
from rich.table import Table


def phone_table(rows):
    """Returns a `rich.table.Table` with one line per file and processor that `benchmark_android` measured."""
    table = Table(box=None, pad_edge=False, collapse_padding=True)
    table.add_column("file", overflow="fold")
    for heading in ("on", "median ms", "95 %", "start ms", "MB", "operators taken", ""):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        taken = "-" if row["nodes"] is None else f"{row['taken']} of {row['nodes']}"
        state = "failed" if row["failure"] else "fell back to the CPU" if row["fell_back"] else ""
        table.add_row(
            escape(Path(row["file"]).name),
            row["processor"].upper(),
            *(_number(row[key]) for key in ("latency_ms", "p95_ms", "init_ms", "memory_mb")),
            taken,
            state,
        )
    return table


def _number(value):
    return "-" if value is None else f"{value:.2f}"
