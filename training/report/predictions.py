"""Draws the predictions for the test images: which classes are confused, how well calibrated, the worst."""

import os

import numpy as np
from matplotlib.colors import PowerNorm

from keras_vit.training.report.names import picture_names
from keras_vit.training.report.style import ORANGE, SKY, WIDTH, color_bar, figure, show_image

MAX_COUNTED = 20  # classes; the cells of larger matrices have no counts
MAX_NAMED = 40  # classes; the axes of larger matrices have indices instead of names
MISTAKES_PER_ROW = 2


def confusion_picture(matrix, label_names):
    """Draws a confusion matrix of counts, rows are the true classes, coloured by the share of each."""
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
    slant = {"rotation": 90} if 0.1 * max(map(len, names)) > cell else {}  # a letter is 0.1 inches wide
    axes.set_xticks(ticks, names, parse_math=False, **slant)
    axes.set_yticks(ticks, names, parse_math=False)
    axes.set(xlabel="Predicted class", ylabel="True class")


def _write_counts(axes, counts, shares):
    size = 9 if counts.max() < 1000 else 7.5
    for (row, column), count in np.ndenumerate(counts):
        if count:
            color = "white" if shares[row, column] > 0.3 else "black"
            axes.text(column, row, f"{count}", ha="center", va="center", size=size, color=color)


def reliability_diagram(metrics):
    """Draws accuracy against confidence, and the share of predictions by confidence.

    Reference: Guo et al. 2017, figure 1, https://arxiv.org/abs/1706.04599
    """
    canvas = figure(height=6)
    upper, lower = canvas.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    filled = [b for b in metrics["calibration_bins"] if b["count"]]
    total = sum(b["count"] for b in filled)
    places = {"x": [b["lower"] for b in filled], "width": [b["upper"] - b["lower"] for b in filled]}
    style = {"align": "edge", "color": SKY, "edgecolor": "white"}
    upper.bar(height=[b["accuracy"] for b in filled], **places, **style)
    upper.plot([0, 1], [0, 1], color="black", linestyle="--", label="perfect calibration")
    confidences = [b["confidence"] for b in filled]
    accuracies = [b["accuracy"] for b in filled]
    diamonds = {"color": ORANGE, "markeredgecolor": "white", "clip_on": False, "zorder": 3}
    upper.plot(confidences, accuracies, "D", label="mean of the bin", **diamonds)
    upper.set(ylabel="Accuracy", ylim=(0, 1.03), xlim=(0, 1))
    upper.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    lower.bar(height=[b["count"] / total for b in filled], **places, **style)
    lower.set(xlabel="Confidence", ylabel="Share of images", ylim=(0, 1.03))
    canvas.align_ylabels()
    return canvas


def worst_mistakes(probabilities, labels, count=8):
    """Returns the indices of the misclassified images, the most confident first, at most `count`."""
    predicted = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(predicted != labels)
    return wrong[np.argsort(-probabilities[wrong, predicted[wrong]], kind="stable")][:count]


def mistakes_picture(images, labels, probabilities, image_names, label_names):
    """Draws misclassified images with their name, true class, the predicted one and its probability."""
    names = picture_names(label_names)
    titles = picture_names(map(os.path.basename, image_names), max_length=36, what="image")
    rows = -(-len(images) // MISTAKES_PER_ROW)
    height, width = images.shape[1:3]
    canvas = figure(height=rows * (2.4 * min(height / width, 2) + 0.85))
    grid = canvas.subplots(rows, MISTAKES_PER_ROW, squeeze=False).ravel()
    for axes in grid:
        axes.set_axis_off()
    for axes, image, label, row, name in zip(grid, images, labels, probabilities, titles, strict=False):
        show_image(axes, image)
        predicted = int(row.argmax())
        share = np.floor(1000 * row[predicted]) / 10  # rounded down: only a probability of 1 is 100 %
        title = f"{name}\ntrue: {names[label]}\npredicted: {names[predicted]}\n{share:.1f} %"
        axes.set_title(title, size=9.5, parse_math=False)
    return canvas
