"""Metrics of predicted numbers on a held-out split."""

from collections.abc import Sequence
from typing import Any

import numpy as np

CONFIDENT = 1.96  # standard errors around a mean, for 95 %


def number_metrics(answers: np.ndarray, labels: np.ndarray, names: Sequence[str]) -> dict[str, Any]:
    """Compares numbers `(n, num_numbers)` with the true ones; returns a dict for JSON.

    The errors are in the units of the numbers; of several ones the metrics are means over these. `r2` is 1
    less the squared error relative to the variance of the true numbers: 0 is as good as their mean, and None
    stands for numbers that do not vary here. `error_interval` is what the mean absolute error on other such
    images may be, by a normal distribution, as far as the number of images shows; `error_of_median` that of
    always answering the median of these images.

    Example:
        >>> found = number_metrics(np.array([[1.0], [3.0]]), np.array([[1.0], [2.0]]), ("age",))
        >>> found["mean_absolute_error"], found["r2"]
        (0.5, -1.0)
    """
    answers, labels = answers.astype("float64"), labels.astype("float64")
    errors = answers - labels
    absolute = np.abs(errors)
    per_number = []
    for index, name in enumerate(names):
        variance = float(labels[:, index].var())
        squared = float((errors[:, index] ** 2).mean())
        per_number.append(
            {
                "label": str(name),
                "mean_absolute_error": float(absolute[:, index].mean()),
                "root_mean_squared_error": squared**0.5,
                "r2": 1 - squared / variance if variance else None,
                "bias": float(errors[:, index].mean()),
                "lowest": float(labels[:, index].min()),
                "highest": float(labels[:, index].max()),
            }
        )
    known = [row["r2"] for row in per_number if row["r2"] is not None]
    of_image = absolute.mean(axis=1)
    around = CONFIDENT * of_image.std(ddof=min(1, len(labels) - 1)) / len(labels) ** 0.5
    mean = float(of_image.mean())
    return {
        "mean_absolute_error": mean,
        "root_mean_squared_error": float(np.mean([row["root_mean_squared_error"] for row in per_number])),
        "r2": float(np.mean(known)) if known else None,
        "error_interval": [max(0.0, mean - float(around)), mean + float(around)],
        "error_of_median": float(np.abs(labels - np.median(labels, axis=0)).mean()),
        "per_number": per_number,
    }
