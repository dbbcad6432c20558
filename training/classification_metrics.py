"""Metrics of a classifier on a held-out split."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from keras_vit.errors import InputError, counted
from keras_vit.training.chance import CONFIDENCE, placed

NUM_BINS = 15  # of the calibration error, as in Guo et al. 2017
DRAWS = 2000  # of the calibration error by chance
SUM_TOLERANCE = 5e-3  # a softmax in bfloat16 sums to 1 within 0.4 %
_BIN = ("lower", "upper", "count", "confidence", "accuracy")
SMALLEST = float(np.finfo("float32").tiny)  # replaces a probability of 0: its cross-entropy is 87 nats


def classification_metrics(
    probabilities: np.ndarray, labels: np.ndarray, label_names: Sequence[str]
) -> dict[str, Any]:
    """Compares probabilities `(n, num_classes)` with the true classes `(n,)`; returns a dict for JSON.

    Cross-entropy is in nats; rows of the confusion matrix are the true classes. A precision, recall or F1
    with nothing to divide by is 0. The macro averages are over the classes that have images.

    Reference: Guo et al. 2017, equation 3, https://arxiv.org/abs/1706.04599
    """
    probabilities, labels = np.asarray(probabilities), np.asarray(labels)
    _check_shapes(probabilities, labels, label_names)
    _check_probabilities(probabilities)
    probabilities = probabilities.astype("float64")
    predicted = probabilities.argmax(axis=1)
    # Not scikit-learn's log_loss, which refuses 1.004 of a softmax in bfloat16 and replaces 0 by 2e-16.
    of_truth = probabilities[np.arange(len(labels)), labels]
    bins = calibration_bins(probabilities.max(axis=1), predicted == labels)
    top5 = {"top5_accuracy": _top_accuracy(probabilities, labels, 5)} if len(label_names) > 5 else {}
    return {
        "accuracy": float(np.mean(predicted == labels)),
        **placed(predicted == labels, labels, label_names),
        **top5,
        "cross_entropy": float(-np.log(np.maximum(of_truth, SMALLEST)).mean()),
        **calibration_errors(bins),
        **_by_class(labels, predicted, label_names),
        "calibration_bins": bins,
    }


def calibration_bins(confidences, correct):
    """Sorts predictions by their confidence into bins of equal width, each with its upper edge.

    An empty bin has None for its confidence and accuracy.
    """
    edges = np.linspace(0, 1, NUM_BINS + 1)
    members = np.digitize(confidences, edges[1:-1], right=True)
    bins = []
    for index, (lower, upper) in enumerate(itertools.pairwise(edges.tolist())):
        inside = members == index
        count = int(inside.sum())
        means = [float(values[inside].mean()) if count else None for values in (confidences, correct)]
        bins.append(dict(zip(_BIN, (lower, upper, count, *means), strict=True)))
    return bins


def expected_calibration_error(bins):
    """Returns the mean distance of accuracy and confidence over the bins, weighted by their counts."""
    filled = [b for b in bins if b["count"]]
    distances = sum(b["count"] * abs(b["accuracy"] - b["confidence"]) for b in filled)
    return distances / sum(b["count"] for b in filled)


def calibration_errors(bins):
    """Returns the calibration error for `metrics.json`, and the largest that may be chance alone.

    So much, or less, a perfectly calibrated model with as many answers of these confidences shows in 95 of
    100 draws, in which each answer is right by itself: below it an error says nothing.
    """
    filled = [b for b in bins if b["count"]]
    counts, confidences = (np.array([b[key] for b in filled]) for key in ("count", "confidence"))
    confidences = np.minimum(confidences, 1)
    right = np.random.default_rng(0).binomial(counts, confidences, (DRAWS, len(filled)))
    drawn = np.abs(right - counts * confidences).sum(axis=1) / counts.sum()
    return {
        "expected_calibration_error": expected_calibration_error(bins),
        "calibration_error_by_chance": float(np.quantile(drawn, CONFIDENCE)),
    }


def _by_class(labels, predicted, label_names):
    classes = np.arange(len(label_names))
    *ratios, support = precision_recall_fscore_support(labels, predicted, labels=classes, zero_division=0)
    ratios = dict(zip(("precision", "recall", "f1"), ratios, strict=True))
    return {
        "macro": {name: float(values[support > 0].mean()) for name, values in ratios.items()},
        "per_class": [
            {
                "label": str(label),
                **{name: float(values[index]) for name, values in ratios.items()},
                "support": int(support[index]),
            }
            for index, label in enumerate(label_names)
        ],
        "confusion_matrix": confusion_matrix(labels, predicted, labels=classes).tolist(),
    }


def _top_accuracy(probabilities, labels, k):
    # Ties as in argmax, so that it is at least the accuracy: scikit-learn prefers the last class.
    best = np.argsort(-probabilities, axis=1, kind="stable")[:, :k]
    return float((best == labels[:, None]).any(axis=1).mean())


def _check_shapes(probabilities, labels, label_names):
    num_classes = len(label_names)
    if probabilities.ndim != 2 or probabilities.shape[1] != num_classes or num_classes < 2:
        raise InputError(
            f"Expected probabilities of shape (n, {num_classes}), a column for each of at least 2 label "
            f"names, received {probabilities.shape}."
        )
    if labels.shape != probabilities.shape[:1] or not len(labels):
        raise InputError(
            f"Expected one label for each of the {counted(len(probabilities), 'row')} of probabilities, and "
            f"at least one, received labels of shape {labels.shape}."
        )
    if not np.issubdtype(labels.dtype, np.integer):
        raise InputError(f"Expected labels to be integers, received {labels.dtype}: cast them to int32.")
    if labels.min() < 0 or labels.max() >= num_classes:
        raise InputError(
            f"Expected labels from 0 to {num_classes - 1}, received {labels.min()} to {labels.max()}."
        )


def _check_probabilities(probabilities):
    if not np.issubdtype(probabilities.dtype, np.floating):
        raise InputError(f"Expected probabilities as floats, received {probabilities.dtype}.")
    if not np.isfinite(probabilities).all():
        raise InputError("Expected probabilities, received NaN or infinity: check the model's weights.")
    low, high = float(probabilities.min()), float(probabilities.max())
    if low < 0 or high > 1 + SUM_TOLERANCE:
        raise InputError(
            f"Expected probabilities from 0 to 1, received values from {low:.4g} to {high:.4g}. "
            "These look like logits: apply keras.ops.softmax first."
        )
    sums = probabilities.sum(axis=1, dtype="float64")
    worst = float(sums[np.abs(sums - 1).argmax()])
    if abs(worst - 1) > SUM_TOLERANCE:
        raise InputError(
            f"Expected rows of probabilities that sum to 1, received one that sums to {worst:.4g}. "
            "Apply keras.ops.softmax to logits first."
        )
