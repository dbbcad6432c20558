"""Which items a file answers as its model does: functions of both outputs and the file's typical error.

Each returns two arrays of bool: where file and model make the same decision, and where they count as
agreeing. A model that is itself unsure changes its decision at the smallest change of an output. Such a
change does not count against a file: a decision that differs counts only where the model's own margin, the
distance of its output from deciding otherwise, is more than twice the file's typical error, the root mean
square of all differences. That error counts up to a tenth of the outputs' spread, so that a file with large
errors does not excuse itself.
"""

import numpy as np

from keras_vit.export.tasks.scores import decisions

MARGIN = 2  # typical errors
NEAR = 0.25  # of the outputs' spread, for the error of one item
LEAST_COSINE = 0.98
LEAST_SPREAD = 1e-3  # of the largest value; ten times what a float32 file may differ


def spread_of(outputs):
    """Returns by how much outputs differ from item to item: the standard deviation, of all columns together.

    Of a single item it is the root mean square. It is at least a thousandth of the largest value: differences
    that are smaller, as of a model that returns the same for all items, may be rounding.
    """
    outputs = outputs.astype("float64")
    squares = outputs.var(axis=0) if len(outputs) > 1 else outputs**2
    return float(max(np.sqrt(np.mean(squares)), LEAST_SPREAD * np.abs(outputs).max(initial=0)))


def of_classes(expected, found, error, threshold):
    """The best class along the last axis."""
    same = decisions(expected, threshold) == decisions(found, threshold)
    if expected.shape[-1] == 1:
        margin = np.abs(expected[..., 0] - threshold)
    else:
        second, first = np.moveaxis(np.partition(expected, -2, axis=-1)[..., -2:], -1, 0)
        margin = first - second
    return same, same | (margin <= MARGIN * error)


def of_labels(expected, found, error, threshold):
    """Each output, above or below the threshold."""
    same = (expected > threshold) == (found > threshold)
    return same, same | (np.abs(expected - threshold) <= MARGIN * error)


def of_values(expected, found, error, threshold):
    """Items whose error is at most a quarter of the outputs' spread."""
    difference = (found - expected).reshape(len(expected), -1).astype("float64")
    near = np.sqrt(np.mean(difference**2, axis=1)) <= NEAR * spread_of(expected)
    return near, near


def of_directions(expected, found, error, threshold):
    """Items whose embeddings have a cosine of at least 0.98."""
    lengths = np.linalg.norm(expected, axis=-1) * np.linalg.norm(found, axis=-1)
    near = np.sum(expected * found, axis=-1) >= LEAST_COSINE * lengths
    return near, near
