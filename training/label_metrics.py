"""Metrics of several labels for each image on a held-out split."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.metrics import precision_recall_curve, precision_recall_fscore_support

from keras_vit.training.classification_metrics import SMALLEST, calibration_bins, calibration_errors

HALF = 0.5  # the threshold of a label that no validation image has
RESAMPLED = 200  # times, for the interval of the mean average precision
CONFIDENCE = 0.95


def label_metrics(
    probabilities: np.ndarray, labels: np.ndarray, names: Sequence[str], thresholds: Sequence[float] | None
) -> dict[str, Any]:
    """Compares probabilities `(n, num_labels)` with labels of 0 and 1; returns a dict for JSON.

    A label is found where its probability is at least its threshold, by default 0.5. Means are over the
    labels that some image has. `mean_average_precision_interval` is what it may be on other such images: 95 %
    of the values on images that are drawn again, with replacement. The calibration is that of all
    probabilities, of each label of each image, which count as answers above 0.5 or below.

    Example:
        >>> labels = np.array([[1, 0], [0, 1], [1, 1]])
        >>> found = label_metrics(np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.4]]), labels, ("a", "b"), None)
        >>> found["mean_average_precision"], found["exact_match"].__round__(2), found["macro"]["recall"]
        (1.0, 0.67, 0.75)
    """
    probabilities, labels = probabilities.astype("float64"), labels > 0
    thresholds = np.full(len(names), HALF) if thresholds is None else np.asarray(thresholds)
    found, occurs = probabilities >= thresholds, labels.any(axis=0)
    precision, *drawn = average_precisions(labels, probabilities, _resampled(len(labels)))
    *ratios, support = precision_recall_fscore_support(labels, found, average=None, zero_division=0)
    ratios = dict(zip(("precision", "recall", "f1"), ratios, strict=True))
    return {
        "mean_average_precision": _mean(precision),
        "mean_average_precision_interval": _quantiles([_mean(values) for values in drawn]),
        "average_precision_by_chance": float(labels.mean(axis=0)[occurs].mean()) if occurs.any() else 0.0,
        "exact_match": float((found == labels).all(axis=1).mean()),
        **calibration(probabilities, labels),
        "macro": {name: float(values[occurs].mean()) for name, values in ratios.items()},
        "per_label": [
            {
                "label": str(label),
                "threshold": float(thresholds[index]),
                "average_precision": float(precision[index]) if occurs[index] else None,
                **{name: float(values[index]) for name, values in ratios.items()},
                "support": int(support[index]),
            }
            for index, label in enumerate(names)
        ],
    }


def calibration(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """Returns the metrics of `label_metrics` that say how right the probabilities themselves are."""
    probabilities, labels = probabilities.astype("float64"), labels > 0
    confidence, right = np.maximum(probabilities, 1 - probabilities), (probabilities > HALF) == labels
    bins = calibration_bins(confidence.ravel(), right.ravel())
    of_truth = np.where(labels, probabilities, 1 - probabilities)
    return {
        "cross_entropy": float(-np.log(np.maximum(of_truth, SMALLEST)).mean()),
        **calibration_errors(bins),
        "calibration_bins": bins,
    }


def best_thresholds(probabilities: np.ndarray, labels: np.ndarray) -> list[float]:
    """Returns the threshold of each label with the highest F1 on these images, in the middle of a gap.

    Without an image that has the label it is 0.5.
    """
    return [_best(probabilities[:, i].astype("float64"), labels[:, i] > 0) for i in range(labels.shape[1])]


def _best(scores, holds):
    if not holds.any():
        return HALF
    precision, recall, thresholds = precision_recall_curve(holds, scores)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    best = int(f1[:-1].argmax())
    below = thresholds[best - 1] if best else 0.0
    return float((thresholds[best] + below) / 2)


def average_precisions(labels: np.ndarray, scores: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Returns the average precision of each label, with each image counted `times`, `(draws, num_labels)`.

    That is the mean, over the images with the label, of the precision among all scored at least as high; NaN
    of a label that no image has.

    Example:
        >>> labels, scores = np.array([[1], [0], [1]]) > 0, np.array([[0.9], [0.8], [0.7]])
        >>> average_precisions(labels, scores, np.array([[1, 1, 1], [1, 0, 1]])).round(3).tolist()
        [[0.833], [1.0]]
    """
    order = np.argsort(-scores, axis=0, kind="stable")
    labels, scores = (np.take_along_axis(array, order, axis=0) for array in (labels, scores))
    places = np.arange(len(scores))[:, None]
    is_last = np.vstack([scores[1:] != scores[:-1], np.full((1, scores.shape[1]), True)])  # of equal scores
    last = np.minimum.accumulate(np.where(is_last, places, len(scores))[::-1], axis=0)[::-1]
    found = np.empty((len(times), scores.shape[1]))
    for draw, counts in zip(found, times, strict=True):
        counts = counts[order].astype("float64")
        right = counts * labels
        precision = right.cumsum(axis=0) / np.maximum(counts.cumsum(axis=0), 1)
        total = right.sum(axis=0)
        known = (right * np.take_along_axis(precision, last, axis=0)).sum(axis=0) / np.maximum(total, 1)
        draw[:] = np.where(total > 0, known, np.nan)
    return found


def _mean(values):
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else 0.0


def _resampled(count):
    """How often each image is drawn, first each once, int `(1 + RESAMPLED, count)`."""
    generator = np.random.default_rng(0)
    draws = (generator.integers(0, count, count) for _ in range(RESAMPLED))
    return np.array([np.ones(count, "int64"), *(np.bincount(rows, minlength=count) for rows in draws)])


def _quantiles(means):
    outside = (1 - CONFIDENCE) / 2
    return [float(value) for value in np.quantile(means, (outside, 1 - outside))]
