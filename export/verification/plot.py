"""Plots the exported variants: what each loses against latency and against size."""

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
    """Draws the rows of `export_model` that have figures to a PNG file, with `max_drop` as a line."""
    rows = [row for row in rows if "agreement" in row and row["variant"] != "savedmodel"]
    if not rows:
        return
    with atomic_path(path) as temporary:
        draw(rows, max_drop).canvas.print_png(temporary)


def draw(rows, max_drop):
    """Returns the `matplotlib.figure.Figure` of rows with all figures."""
    figure = Figure(figsize=(10, 4.5), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2, sharey=True)
    items = "one item" if rows[0]["batch_size"] == 1 else f"{rows[0]['batch_size']} items"
    _scatter(left, rows, [row["latency_ms"] for row in rows], f"CPU time of {items} in ms, one thread")
    _scatter(right, rows, [row["size"] / 1e6 for row in rows], "file size in MB")
    left.set_ylabel(f"{rows[0].get('metric') or 'variance of the outputs'}, less the model's, in points")
    for axes in (left, right):
        axes.axhline(-max_drop, color="black", linewidth=0.8, linestyle=":")
        axes.annotate(
            f"{max_drop:g} point{'s' * (max_drop != 1)} below the model",
            (0.99, -max_drop),
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
        axes.plot(value, -row["drop"], marker, color=color, markersize=7)
        name = row["variant"] + (" (kept)" if row.get("kept") else "")
        axes.annotate(
            name,
            (value, -row["drop"]),
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
