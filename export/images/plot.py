"""Plots the exported variants: accuracy against latency and against size."""

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from keras_vit.io.files import atomic_path

PLOT = "export.png"
DPI = 110
NAME = "name"  # marks the texts that are names of variants
KEPT, GOOD, BAD = "#0072b2", "#767676", "#d55e00"  # Okabe and Ito's blue and vermilion, and a grey

HEIGHTS = (6, -13, 20, -27, 34, -41, 48, -55)  # points above its mark where a name may be


def write_plot(rows, max_drop, path):
    """Draws the rows of `export_model` that have an accuracy to a PNG file, with `max_drop` as a line."""
    rows = [row for row in rows if "accuracy" in row and row["variant"] != "savedmodel"]
    if not rows:
        return
    with atomic_path(path) as temporary:
        draw(rows, max_drop).savefig(temporary, dpi=DPI)


def draw(rows, max_drop):
    """Returns the `matplotlib.figure.Figure` of rows that all have an accuracy."""
    figure = Figure(figsize=(10, 4.5), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2, sharey=True)
    images = "one image" if rows[0]["batch_size"] == 1 else f"{rows[0]['batch_size']} images"
    _scatter(left, rows, [row["latency_ms"] for row in rows], f"CPU time of {images} in ms, one thread")
    _scatter(right, rows, [row["size"] / 1e6 for row in rows], "file size in MB")
    left.set_ylabel("accuracy on held-out images in %")
    floor = 100 * rows[0]["reference_accuracy"] - max_drop
    for axes in (left, right):
        axes.axhline(floor, color="black", linewidth=0.8, linestyle=":")
        axes.annotate(
            f"{max_drop:g} point{'s' * (max_drop != 1)} below the model",
            (0.99, floor),
            xycoords=("axes fraction", "data"),
            xytext=(0, -3),
            textcoords="offset points",
            ha="right",
            va="top",
            fontsize=8,
        )
    figure.draw_without_rendering()  # computes where texts are
    for axes in (left, right):
        _separate([text for text in axes.texts if text.get_gid() == NAME])
    return figure


def _scatter(axes, rows, values, label):
    for value, row in sorted(zip(values, rows, strict=True), key=lambda pair: pair[0]):
        color = KEPT if row.get("kept") else GOOD if row["passed"] else BAD
        marker = "o" if row["passed"] else "x"
        axes.plot(value, 100 * row["accuracy"], marker, color=color, markersize=7)
        name = row["variant"] + (" (kept)" if row.get("kept") else "")
        axes.annotate(
            name,
            (value, 100 * row["accuracy"]),
            xytext=(6, HEIGHTS[0]),
            textcoords="offset points",
            fontsize=8,
            color=color,
            gid=NAME,
            arrowprops={"arrowstyle": "-", "color": color, "linewidth": 0.5, "shrinkA": 0, "shrinkB": 0},
        )
    axes.set_xlabel(label)
    axes.set_xlim(0, 1.25 * max(values))
    axes.margins(y=0.15)
    axes.spines[["top", "right"]].set_visible(False)


def _separate(names):
    """Moves names up and down until none overlaps another, as far as there is room."""
    taken = []
    for name in names:
        for height in HEIGHTS:
            name.xyann = (6, height)
            place = Text.get_window_extent(name)  # an annotation's own method includes the line to its mark
            if not any(place.overlaps(other) for other in taken):
                break
        taken.append(place)
