"""An experiment that trains nothing: what it counts, as a table and plots."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

from keras_vit.io.files import atomic_path, write_text
from keras_vit.io.json_files import write_json
from keras_vit.training.report.style import drawing, save


@dataclasses.dataclass(frozen=True)
class Computation:
    """Something counted.

    Attributes:
        title: str.
        rows: function that gives a list of dict, one for each line of the table, with the same keys.
        assumptions: str.
        plots: functions from rows to `(name, caption, figure)`.
    """

    title: str
    rows: Callable
    assumptions: str = ""
    plots: tuple[Callable, ...] = ()


def compute(name, computation, place):
    """Counts, and writes `results.json`, `table.md` and the plots into a folder.

    Returns:
        list of dict, the rows.
    """
    place = Path(place)
    rows = computation.rows()
    with drawing():
        pictures = [plot(rows) for plot in computation.plots]
        for file, _, canvas in pictures:
            with atomic_path(place / f"{file}.png") as temporary:
                save(canvas, temporary)
    write_text(place / "table.md", _table(computation, rows))
    write_json(
        place / "results.json",
        {
            "name": name,
            "title": computation.title,
            "assumptions": computation.assumptions,
            "quick": False,
            "complete": True,
            "pictures": [{"file": f"{file}.png", "caption": caption} for file, caption, _ in pictures],
            "rows": rows,
        },
    )
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
