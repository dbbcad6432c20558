"""Metrics of several labels for each image on a held-out split."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score, precision_recall_curve, precision_recall_fscore_support

from keras_vit.training.classification_metrics import SMALLEST, calibration_bins, expected_calibration_error

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
    precision = _average_precisions(labels, probabilities)
    *ratios, support = precision_recall_fscore_support(labels, found, average=None, zero_division=0)
    ratios = dict(zip(("precision", "recall", "f1"), ratios, strict=True))
    return {
        "mean_average_precision": _mean(precision),
        "mean_average_precision_interval": _interval(labels, probabilities),
        "average_precision_by_chance": float(labels.mean(axis=0)[occurs].mean()) if occurs.any() else 0.0,
        "exact_match": float((found == labels).all(axis=1).mean()),
        **calibration(probabilities, labels),
        "macro": {name: float(values[occurs].mean()) for name, values in ratios.items()},
        "per_label": [
            {
                "label": str(label),
                "threshold": float(thresholds[index]),
                "average_precision": precision[index],
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
        "expected_calibration_error": expected_calibration_error(bins),
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


def _average_precisions(labels, probabilities):
    """The average precision of each label, or None of one that no image has."""
    return [
        float(average_precision_score(labels[:, i], probabilities[:, i])) if labels[:, i].any() else None
        for i in range(labels.shape[1])
    ]


def _mean(values):
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else 0.0


def _interval(labels, probabilities):
    generator, means = np.random.default_rng(0), []
    for _ in range(RESAMPLED):
        rows = generator.integers(0, len(labels), len(labels))
        means.append(_mean(_average_precisions(labels[rows], probabilities[rows])))
    outside = (1 - CONFIDENCE) / 2
    return [float(value) for value in np.quantile(means, (outside, 1 - outside))]
