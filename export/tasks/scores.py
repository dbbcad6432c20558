"""Scores of outputs on labelled items: functions of labels, outputs and threshold; 1 is perfect."""

import numpy as np

NEIGHBOURS_AT_ONCE = 512  # rows of the matrix of similarities


def decisions(outputs, threshold):
    """Returns the best class along the last axis, `(...)`; where that is one value, if it is above."""
    if outputs.shape[-1] == 1:
        return (outputs[..., 0] > threshold).astype("int64")
    return outputs.argmax(axis=-1)


def accuracy(labels, outputs, threshold):
    """Returns the share of items, steps or places with the right class."""
    return np.mean(decisions(outputs, threshold) == labels)


def f1(labels, outputs, threshold):
    """Returns the F1 score over all labels of all items together."""
    found = outputs > threshold
    return 2 * np.sum(found & labels) / max(1, np.sum(found) + np.sum(labels))


def explained_variance(labels, outputs, threshold):
    """Returns R squared, the mean over the columns: 1 less the squared error relative to the variance."""
    labels, outputs = (x.reshape(len(x), -1).astype("float64") for x in (labels, outputs))
    error = np.mean((labels - outputs) ** 2, axis=0)
    return np.mean(1 - error / labels.var(axis=0))


def mean_iou(labels, outputs, threshold):
    """Returns intersection over union, the mean over the classes that occur."""
    found = decisions(outputs, threshold)
    classes = np.union1d(np.unique(labels), np.unique(found))
    pairs = [(labels == number, found == number) for number in classes]
    return np.mean([np.sum(a & b) / np.sum(a | b) for a, b in pairs])


def nearest_neighbour(labels, outputs, threshold):
    """Returns the share of items whose nearest other item, by cosine, has their label."""
    unit = outputs / np.maximum(np.linalg.norm(outputs, axis=-1, keepdims=True), 1e-12)
    right = 0
    for start in range(0, len(unit), NEIGHBOURS_AT_ONCE):
        similar = unit[start : start + NEIGHBOURS_AT_ONCE] @ unit.T
        rows = np.arange(len(similar))
        similar[rows, start + rows] = -np.inf
        right += np.sum(labels[similar.argmax(axis=1)] == labels[start + rows])
    return right / len(unit)
