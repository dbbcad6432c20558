"""Brings the probabilities of a model closer to how often it is right, by the validation images."""

from collections.abc import Callable

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

CALIBRATED = ("cross_entropy", "expected_calibration_error", "calibration_bins")  # metrics that it changes
LIMITS = (0.05, 20.0)
PRIOR = 0.5  # standard deviation of the logarithm of a temperature that is expected before any image is seen


def fit_temperature(outputs: np.ndarray, loss: Callable[[np.ndarray], float]) -> float:
    """Returns the number by which outputs are divided so that a loss, summed over the images, is smallest.

    Few images say little: a temperature far from 1 has to lower the loss by more than its own improbability,
    with a normal distribution of its logarithm.

    Reference: Guo et al. 2017, section 4.2, https://arxiv.org/abs/1706.04599
    """
    if not len(outputs):
        return 1.0

    def penalized(logarithm):
        return loss(outputs / np.exp(logarithm)) + 0.5 * (logarithm / PRIOR) ** 2

    found = minimize_scalar(penalized, bounds=np.log(LIMITS), method="bounded")
    return float(np.exp(found.x))


def softmax_loss(labels: np.ndarray) -> Callable:
    """Returns the cross-entropy of logits with labels, rows that sum to 1, summed over the images."""
    return lambda logits: float(-(labels * log_softmax(logits, axis=1)).sum())


def sigmoid_loss(labels: np.ndarray) -> Callable:
    """Returns the mean cross-entropy of an image's logits with its labels, 0 or 1, summed over the images."""
    return lambda logits: float((np.logaddexp(0, logits) - labels * logits).mean(axis=1).sum())
