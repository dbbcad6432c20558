"""Draws which classes are confused."""

import numpy as np
from matplotlib.colors import PowerNorm

from keras_vit.training.report.names import picture_names
from keras_vit.training.report.style import WIDTH, color_bar, figure

MAX_COUNTED = 20  # classes; the cells of larger matrices have no counts
MAX_NAMED = 40  # classes; the axes of larger matrices have indices instead of names


def confusion_picture(matrix, label_names):
    """Draws a confusion matrix, coloured by the share of each true class.

    Args:
        matrix: `(num_classes, num_classes)` counts, rows are the true classes.
        label_names: sequence of `num_classes` str.
    """
    counts = np.asarray(matrix)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    width = float(np.clip(1.8 + 0.42 * len(counts), WIDTH, 9)) if len(counts) <= MAX_NAMED else WIDTH
    canvas = figure(height=width + 0.4, width=width)
    axes = canvas.subplots()
    # The square root makes errors of a few percent visible next to a diagonal near 100 %.
    picture = axes.imshow(shares, cmap="Blues", norm=PowerNorm(0.5, 0, 1), interpolation="nearest")
    axes.spines[:].set_visible(False)
    _name_axes(axes, label_names, cell=(width - 1.8) / len(counts))
    if len(counts) <= MAX_COUNTED:
        _write_counts(axes, counts, shares)
    bar = color_bar(canvas, picture, axes, "Share of the true class")
    bar.set_ticks([0, 0.05, 0.25, 0.5, 1], labels=["0", "5 %", "25 %", "50 %", "100 %"])
    return canvas


def _name_axes(axes, label_names, cell):
    if len(label_names) > MAX_NAMED:
        axes.set(xlabel="Predicted class (index)", ylabel="True class (index)")
        return
    names = picture_names(label_names, max_length=14)
    ticks = range(len(names))
    slant = {"rotation": 90} if 0.1 * max(map(len, names)) > cell else {}  # a letter takes 0.1 inches
    axes.set_xticks(ticks, names, parse_math=False, **slant)
    axes.set_yticks(ticks, names, parse_math=False)
    axes.set(xlabel="Predicted class", ylabel="True class")


def _write_counts(axes, counts, shares):
    size = 9 if counts.max() < 1000 else 7.5
    for (row, column), count in np.ndenumerate(counts):
        if count:
            color = "white" if shares[row, column] > 0.3 else "black"
            axes.text(column, row, f"{count}", ha="center", va="center", size=size, color=color)
