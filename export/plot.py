"""A picture of what was exported: accuracy against latency and against size."""

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from keras_vit.files import atomic_path

PLOT = "export.png"
KEPT, GOOD, BAD = "#0072b2", "#767676", "#d55e00"  # Okabe and Ito's blue and vermilion, and a grey


def write_plot(rows, max_drop, path):
    """Draws the rows of `export_model` that have an accuracy.

    Args:
        rows: list of dicts.
        max_drop: float, points of accuracy that are allowed to be lost; drawn as a line.
        path: Path of a PNG file.
    """
    rows = [row for row in rows if "accuracy" in row and row["variant"] != "savedmodel"]
    if not rows:
        return
    figure = Figure(figsize=(10, 4.5), layout="constrained")
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
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=110)


def _scatter(axes, rows, values, label):
    in_order = sorted(zip(values, rows, strict=True), key=lambda pair: pair[0])
    for number, (value, row) in enumerate(in_order):
        color = KEPT if row.get("kept") else GOOD if row["passed"] else BAD
        marker = "o" if row["passed"] else "x"
        axes.plot(value, 100 * row["accuracy"], marker, color=color, markersize=7)
        name = row["variant"] + (" (kept)" if row.get("kept") else "")
        axes.annotate(
            name,
            (value, 100 * row["accuracy"]),
            xytext=(6, (6, -13, 18)[number % 3]),  # neighbours' names lie above and below each other
            textcoords="offset points",
            fontsize=8,
            color=color,
        )
    axes.set_xlabel(label)
    axes.set_xlim(0, 1.25 * max(values))
    axes.margins(y=0.15)
    axes.spines[["top", "right"]].set_visible(False)
