"""An experiment that trains nothing: computed numbers, as a table and plots."""

import dataclasses
from collections.abc import Callable

from keras_vit.training.reproduce.results import write_results


@dataclasses.dataclass(frozen=True)
class Computation:
    """Computed numbers.

    Attributes:
        title: str.
        rows: function that returns a list of dict with the same keys, one for each line of the table.
        assumptions: str.
        plots: functions from rows to `(name, caption, figure)`.
    """

    title: str
    rows: Callable
    assumptions: str = ""
    plots: tuple[Callable, ...] = ()


def compute(name, computation, place):
    """Computes the numbers and writes `results.json`, `table.md` and the plots into a folder.

    Returns:
        list of dict, the rows.
    """
    rows = computation.rows()
    write_results(place, name, computation, rows, _table(computation, rows), plots=computation.plots)
    return rows


def _table(computation, rows):
    head = [key.replace("_", " ") for key in rows[0]]
    lines = [f"# {computation.title}", "", f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    lines += [f"| {' | '.join(map(_cell, row.values()))} |" for row in rows]
    return "\n".join([*lines, "", computation.assumptions]) + "\n"


def _cell(value):
    return (
        f"{value:,}" if isinstance(value, int) else f"{value:.4g}" if isinstance(value, float) else str(value)
    )
