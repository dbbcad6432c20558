"""Brings the probabilities of a model closer to how often it is right, by the validation images."""

from collections.abc import Callable

import numpy as np
from scipy.optimize import minimize, minimize_scalar
from scipy.special import log_softmax

from keras_vit.io.output_meaning import calibrated

CALIBRATED = (  # metrics that it changes
    "cross_entropy",
    "expected_calibration_error",
    "calibration_error_by_chance",
    "calibration_bins",
)
LIMITS = (0.05, 20.0)
MOST_OF_ITS_OWN = 0.95  # of the number by which logits are multiplied, on a typical image: the sharpening
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
        return loss(outputs / np.exp(logarithm)) + _improbability(np.exp(logarithm))

    found = minimize_scalar(penalized, bounds=np.log(LIMITS), method="bounded")
    return float(np.exp(found.x))


def fit_calibration(outputs: np.ndarray, loss: Callable[[np.ndarray], float]) -> dict[str, float]:
    """Returns the `temperature` and `sharpening` of logits of classes that make a loss smallest.

    After training with label smoothing, MixUp or a hinge loss, images on which a model is sure need another
    temperature than others (Müller et al. 2019). `sharpening` is 0 unless it lowers the loss, summed over
    the images, by half the logarithm of their number, the price of a second parameter by Schwarz 1978.

    References:
        a temperature for each image: Joy et al. 2022, https://arxiv.org/abs/2207.06211
        label smoothing: Müller et al. 2019, https://arxiv.org/abs/1906.02629
        the price: Schwarz 1978, Estimating the Dimension of a Model, https://doi.org/10.1214/aos/1176344136
    """
    alone = {"temperature": fit_temperature(outputs, loss), "sharpening": 0.0}
    if not len(outputs):
        return alone
    outputs = outputs.astype("float64")
    typical = float(np.median(outputs.max(axis=1) - outputs.mean(axis=1)))
    if not typical:  # all logits alike
        return alone

    def parts(scale_and_share):  # of the typical image's logits: a fixed one, and one of its own largest
        scale, share = map(float, scale_and_share)
        return {"temperature": 1 / (scale * (1 - share)), "sharpening": scale * share / typical}

    def penalized(scale_and_share):
        changed = loss(calibrated(outputs, **parts(scale_and_share)))
        return changed + _improbability(1 / scale_and_share[0])

    scale = 1 / alone["temperature"]
    bounds = ((1 / LIMITS[1], 1 / LIMITS[0]), (0, MOST_OF_ITS_OWN))
    found = minimize(penalized, (scale, 0.5), bounds=bounds, method="L-BFGS-B")
    gain = penalized((scale, 0.0)) - found.fun
    return parts(found.x) if gain > 0.5 * np.log(len(outputs)) else alone


def softmax_loss(labels: np.ndarray) -> Callable:
    """Returns the cross-entropy of logits with labels, rows that sum to 1, summed over the images."""
    return lambda logits: float(-(labels * log_softmax(logits, axis=1)).sum())


def sigmoid_loss(labels: np.ndarray) -> Callable:
    """Returns the mean cross-entropy of an image's logits with its labels, 0 or 1, summed over the images."""
    return lambda logits: float((np.logaddexp(0, logits) - labels * logits).mean(axis=1).sum())


def _improbability(temperature):
    return 0.5 * (np.log(temperature) / PRIOR) ** 2
