"""Temperature and sharpening: found where labels follow them, left out where images do not show them."""

import numpy as np
import pytest
from scipy.special import softmax

from keras_vit.io.output_meaning import calibrated
from keras_vit.training.targets.calibration import fit_calibration, softmax_loss

CLASSES = 10


def drawn(number, temperature, sharpening=0.0, seed=0):
    """Logits as of a trained model, and labels, rows of 0 and 1, that the calibrated probabilities give."""
    random = np.random.default_rng(seed)
    logits = random.normal(size=(number, CLASSES))
    logits[np.arange(number), random.integers(0, CLASSES, number)] += random.uniform(0, 9, number)
    probabilities = softmax(calibrated(logits, temperature, sharpening), 1)
    labels = (probabilities.cumsum(1) > random.uniform(size=(number, 1))).argmax(1)
    return logits.astype("float32"), np.eye(CLASSES)[labels]


def test_both_numbers_are_found():
    logits, labels = drawn(20_000, 2.5, 0.2)
    found = fit_calibration(logits, softmax_loss(labels))
    assert found["temperature"] == pytest.approx(2.5, rel=0.1)
    assert found["sharpening"] == pytest.approx(0.2, rel=0.1)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_a_temperature_alone_stays_alone(temperature):
    # Of 1,000 such draws, 4 take a second number: a chi-squared of more than the logarithm of 1,000.
    logits, labels = drawn(1_000, temperature)
    found = fit_calibration(logits, softmax_loss(labels))
    assert found["sharpening"] == 0
    assert found["temperature"] == pytest.approx(temperature, rel=0.15)


def test_ten_images_change_little():
    logits, labels = drawn(10, 2.5, 0.2)
    found = fit_calibration(logits, softmax_loss(labels))
    assert found["sharpening"] == 0
    assert 0.5 < found["temperature"] < 2


@pytest.mark.parametrize("logits", [np.zeros((0, CLASSES)), np.zeros((5, CLASSES))], ids=["none", "alike"])
def test_outputs_that_say_nothing_stay(logits):
    labels = np.eye(CLASSES)[: len(logits)]
    assert fit_calibration(logits, softmax_loss(labels)) == pytest.approx(
        {"temperature": 1, "sharpening": 0}, abs=1e-3
    )


def test_the_order_of_an_image_stays():
    logits, _ = drawn(100, 1.0)
    np.testing.assert_array_equal(np.argsort(calibrated(logits, 2.5, 0.2)), np.argsort(logits))
