"""Which of several models is the best at its latency or size: a table and a picture of their files."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator, PercentFormatter

from keras_vit.io import markdown
from keras_vit.io.figures import size_words
from keras_vit.io.files import atomic_path, csv_text, write_text

NAMES = TABLE, ROWS, PICTURE = "frontier.md", "frontier.csv", "frontier.png"
DPI = 150
# Colours that the colour-blind can distinguish: Okabe and Ito 2008, https://jfly.uni-koeln.de/color/
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")
MARKERS = "os^DvPX"
_SIDES = [((x, y), side) for x, side in ((4, "left"), (-4, "right")) for y in (-11, 5)]  # of a marker


class Entry(NamedTuple):
    """The file of one model."""

    name: str
    family: str  # models of one family are joined by a line
    parameters: int
    model_score: float  # of the model
    score: float  # of the file
    variant: str
    latency_ms: float
    size: int  # bytes


def front(entries: list[Entry], cost: str) -> list[Entry]:
    """Returns the entries than which none has as good a score for less of a cost, the cheapest first."""
    best = []
    for entry in sorted(entries, key=lambda e: (getattr(e, cost), -e.score)):
        if not best or entry.score > best[-1].score:
            best.append(entry)
    return best


def write_frontier(entries: list[Entry], metric: str, folder: Path, about: str) -> None:
    """Writes `frontier.md`, `frontier.csv` and `frontier.png` into a folder.

    `metric` is what scores are, such as `"accuracy"`; `about` is a sentence under the table.
    """
    write_text(folder / TABLE, table(entries, metric, about))
    write_text(folder / ROWS, csv_text([Entry._fields, *entries]))
    with atomic_path(folder / PICTURE) as temporary:
        draw(entries, metric).savefig(temporary, format="png", dpi=DPI, metadata={"Software": None})


def table(entries: list[Entry], metric: str, about: str) -> str:
    """Returns the entries as a table in Markdown, the fastest first; those on a front are marked."""
    fastest, smallest = front(entries, "latency_ms"), front(entries, "size")

    def row(entry):
        marks = [word for word, best in (("latency", fastest), ("size", smallest)) if entry in best]
        scores = _score(entry.model_score, metric), entry.variant, _score(entry.score, metric)
        file = f"{entry.latency_ms:.3f}", size_words(entry.size), " and ".join(marks)
        return entry.name, entry.family, f"{entry.parameters:,}", *scores, *file

    heading = "model", "family", "parameters", metric, "file", f"its {metric}", "ms", "size", "best for its"
    rows = map(row, sorted(entries, key=lambda e: e.latency_ms))
    return f"{markdown.table(heading, rows)}\n\n{about}\n"


def draw(entries: list[Entry], metric: str) -> Figure:
    """Returns a figure: score against latency and against size, a line for each family's front."""
    figure = Figure(figsize=(5.5, 7.5), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    upper, lower = figure.subplots(2, 1)
    _panel(upper, entries, "latency_ms", 1, "latency in ms")
    _panel(lower, entries, "size", 1e6, "file size in MB")
    for axes in (upper, lower):
        axes.set_ylabel(f"{metric} of the file")
        if metric.endswith("accuracy"):
            axes.yaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=None))
    figure.legend(*upper.get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)
    figure.draw_without_rendering()  # which fixes the layout
    for axes in (upper, lower):
        _separate(axes.texts)
    return figure


def _separate(names):
    """Moves names that lie on others to another side of their marker."""
    taken = []
    for name in names:
        for name.xyann, side in _SIDES:
            name.set_horizontalalignment(side)
            box = name.get_window_extent()
            if not any(box.overlaps(other) for other in taken):
                break
        taken.append(box)


def _panel(axes, entries, cost, divisor, label):
    families = dict.fromkeys(entry.family for entry in entries)
    for number, family in enumerate(families):
        color, marker = COLORS[number % len(COLORS)], MARKERS[number % len(MARKERS)]
        own = [entry for entry in entries if entry.family == family]
        for group, style in ((own, {"linestyle": "none"}), (front(own, cost), {"linestyle": "-"})):
            x, y = [getattr(e, cost) / divisor for e in group], [e.score for e in group]
            shown = {"label": family} if group is not own else {}
            axes.plot(x, y, color=color, marker=marker, markersize=7, **style, **shown)
    best = front(entries, cost)
    x, y = [getattr(e, cost) / divisor for e in best], [e.score for e in best]
    axes.plot(x, y, color="0.8", linewidth=6, zorder=0, label="best of all")
    for entry in entries:
        place = getattr(entry, cost) / divisor, entry.score
        axes.annotate(entry.name, place, _SIDES[0][0], textcoords="offset points", fontsize=8, color="0.25")
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.6g}")
    axes.xaxis.set_minor_locator(NullLocator())
    values = [getattr(e, cost) / divisor for e in entries]
    axes.set_xticks([float(f"{value:.2g}") for value in np.geomspace(min(values), max(values), 4)])
    axes.set_xlabel(label)
    axes.margins(x=0.15, y=0.1)
    axes.grid(color="0.92")
    axes.spines[["top", "right"]].set_visible(False)


def _score(value, metric):
    return f"{100 * value:.2f} %" if metric.endswith("accuracy") else f"{value:.4f}"
