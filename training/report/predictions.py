"""Draws the predictions for the test images: which classes are confused, how well calibrated, the worst."""

import os

import numpy as np
from matplotlib.colors import PowerNorm

from keras_vit.training.report.names import picture_names
from keras_vit.training.report.style import BLUE, ORANGE, SKY, WIDTH, color_bar, figure, show_image

MAX_COUNTED = 20  # classes; the cells of larger matrices have no counts
MAX_NAMED = 40  # classes; the axes of larger matrices have indices instead of names
MISTAKES_PER_ROW = 2
MAX_CHARTS = 4  # numbers that are drawn


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


def reliability_diagram(bins):
    """Draws accuracy against confidence, and the share of predictions by confidence.

    Reference: Guo et al. 2017, figure 1, https://arxiv.org/abs/1706.04599
    """
    canvas = figure(height=6)
    upper, lower = canvas.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    filled = [b for b in bins if b["count"]]
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


def mistakes_picture(split, chosen, lines):
    """Draws the chosen images of a split with the name of each file, and lines of text below that."""
    images, files = split.images[chosen], split.names()
    titles = picture_names((os.path.basename(files[i]) for i in chosen), max_length=36, what="image")
    rows = -(-len(images) // MISTAKES_PER_ROW)
    height, width = images.shape[1:3]
    canvas = figure(height=rows * (2.4 * min(height / width, 2) + 0.85))
    grid = canvas.subplots(rows, MISTAKES_PER_ROW, squeeze=False).ravel()
    for axes in grid:
        axes.set_axis_off()
    for axes, image, name, texts in zip(grid, images, titles, lines, strict=False):
        show_image(axes, image)
        axes.set_title("\n".join([name, *texts]), size=9.5, parse_math=False)
    return canvas


def percent(share):
    """Returns a probability in per cent, rounded down: only one of 1 is 100 %."""
    return f"{np.floor(1000 * share) / 10:.1f} %"


def precision_picture(rows, label_names):
    """Draws the average precision of each label, and the share of images that have it, as by chance."""
    names = picture_names(label_names, max_length=18)
    shown = [row for row in range(len(rows)) if rows[row]["average_precision"] is not None][:MAX_NAMED]
    canvas = figure(height=0.9 + 0.28 * max(len(shown), 2))
    axes = canvas.subplots()
    values = [rows[row]["average_precision"] for row in shown]
    axes.barh(range(len(shown)), values, color=SKY)
    axes.set_yticks(range(len(shown)), [names[row] for row in shown], parse_math=False)
    axes.invert_yaxis()
    axes.set(xlim=(0, 1.0), xlabel="Average precision")
    axes.grid(axis="x", color="0.9")
    return canvas


def numbers_picture(labels, answers, label_names):
    """Draws the answers against the true numbers, one chart for each number, at most four."""
    names = picture_names(label_names, what="number")
    count = min(labels.shape[1], MAX_CHARTS)
    canvas = figure(height=4.4 * count)
    for index, axes in enumerate(canvas.subplots(count, 1, squeeze=False).ravel()):
        true, answer = labels[:, index], answers[:, index]
        ends = [min(true.min(), answer.min()), max(true.max(), answer.max())]
        axes.plot(ends, ends, color="black", linestyle="--", label="exact")
        axes.plot(true, answer, "o", color=BLUE, alpha=0.5, markersize=4, label="test image")
        axes.set_xlabel(f"True {names[index]}", parse_math=False)
        axes.set_ylabel("Answer")
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    return canvas


def calibration_pictures(metrics):
    """Yields the reliability diagrams of a model's own probabilities, and of the calibrated ones."""
    yield "calibration", reliability_diagram(metrics["calibration_bins"])
    if "calibrated" in metrics:
        yield "calibrated", reliability_diagram(metrics["calibrated"]["calibration_bins"])
