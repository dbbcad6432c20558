"""An experiment that trains nothing: computed numbers, as a table and plots."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

from keras_vit.training.reproduce.results import markdown, write_results


@dataclasses.dataclass(frozen=True)
class Computation:
    title: str
    rows: Callable[[], list[dict]]  # one dict for each line of the table, with the same keys
    assumptions: str = ""
    plots: tuple[Callable, ...] = ()  # functions from rows to `(name, caption, figure)`


def compute(name: str, computation: Computation, place: Path) -> list[dict]:
    """Computes the rows, and writes `results.json`, `table.md` and the plots into a folder."""
    rows = computation.rows()
    lines = [[key.replace("_", " ") for key in rows[0]], *(map(_cell, row.values()) for row in rows)]
    write_results(place, name, computation, rows, markdown(computation, lines), plots=computation.plots)
    return rows


def _cell(value):
    return (
        f"{value:,}" if isinstance(value, int) else f"{value:.4g}" if isinstance(value, float) else str(value)
    )
