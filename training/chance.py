"""Where a classifier's accuracy stands between chance and certainty."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import binomtest

from keras_vit.errors import counted

CONFIDENCE = 0.95


def placed(correct: np.ndarray, labels: np.ndarray, label_names: Sequence[str]) -> dict[str, Any]:
    """Returns entries of `metrics.json`: the interval of the accuracy, and what the largest class would give.

    The interval, Wilson's of 95 %, is what accuracy on other images of the same kind may be, as far as the
    number of test images shows. `largest_class` is the accuracy on these images of always answering the class
    that most of them have.

    Example:
        >>> found = placed(np.array([True, True, False, True]), np.array([0, 1, 1, 1]), ("cat", "dog"))
        >>> found["largest_class"]
        {'label': 'dog', 'accuracy': 0.75}
        >>> [round(end, 3) for end in found["accuracy_interval"]]
        [0.301, 0.954]
    """
    counts = np.bincount(labels, minlength=len(label_names))
    largest = {"label": str(label_names[counts.argmax()]), "accuracy": float(counts.max() / len(labels))}
    return {"accuracy_interval": interval(correct), "largest_class": largest}


def interval(correct: np.ndarray) -> list[float]:
    """Returns the ends of Wilson's interval of 95 % of the share of right answers, of bool `(n,)`."""
    found = binomtest(int(np.sum(correct)), len(correct)).proportion_ci(CONFIDENCE, method="wilson")
    return [float(found.low), float(found.high)]


def by_images(metrics: Mapping[str, Any], noun: str = "image") -> str:
    """Returns what an interval is computed by, in words: the test images, each assumed to be independent.

    >>> by_images({"num_images": 60, "num_groups": 8})
    '60 images, assumed independent, of 8 groups'
    """
    images, groups = counted(metrics["num_images"], noun), metrics.get("num_groups")
    return images if groups is None else f"{images}, assumed independent, of {counted(groups, 'group')}"


def lines(metrics: Mapping[str, Any], advice: str, noun: str = "image") -> list[str]:
    """Returns the place of an accuracy for people, a line each; a hint with advice where it may be chance."""
    if "accuracy_interval" not in metrics:  # written by an earlier version
        return []
    (low, high), largest = metrics["accuracy_interval"], metrics["largest_class"]
    found = [
        f"accuracy on more such {noun}s: {low:.4f} to {high:.4f} (95 %, by "
        f"{by_images(metrics, noun)}); always {largest['label']}: {largest['accuracy']:.4f}"
    ]
    if low <= largest["accuracy"]:
        found.append(
            f"hint: no better than always answering {largest['label']}, as far as these {noun}s show: "
            f"{advice}"
        )
    return found
