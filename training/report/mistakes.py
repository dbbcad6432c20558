"""Draws the most confident mistakes of a model."""

import numpy as np

from keras_vit.training.report.names import picture_names
from keras_vit.training.report.style import figure, show_image

COLUMNS = 2


def worst_mistakes(probabilities, labels, count=8):
    """Returns the indices of the misclassified images, the most confident first, at most `count`."""
    predicted = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(predicted != labels)
    return wrong[np.argsort(-probabilities[wrong, predicted[wrong]], kind="stable")][:count]


def mistakes_picture(images, labels, probabilities, label_names):
    """Draws misclassified images with their true class, the predicted one and its probability.

    Args:
        images: uint8 `(num_images, height, width, channels)`.
        labels: `(num_images,)`.
        probabilities: `(num_images, num_classes)`.
        label_names: sequence of `num_classes` str.
    """
    names = picture_names(label_names)
    rows = -(-len(images) // COLUMNS)
    height, width = images.shape[1:3]
    canvas = figure(height=rows * (2.4 * min(height / width, 2) + 0.65))
    grid = canvas.subplots(rows, COLUMNS, squeeze=False).ravel()
    for axes in grid:
        axes.set_axis_off()
    for axes, image, label, row in zip(grid, images, labels, probabilities, strict=False):
        show_image(axes, image)
        predicted = int(row.argmax())
        title = f"true: {names[label]}\npredicted: {names[predicted]}\n{_percent(row[predicted])}"
        axes.set_title(title, size=9.5, parse_math=False)
    return canvas


def _percent(probability):
    # Rounded down, so that only a probability of 1 is shown as 100 %.
    return f"{np.floor(1000 * probability) / 10:.1f} %"
