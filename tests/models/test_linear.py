import keras
import numpy as np
import pytest
from sklearn.datasets import load_digits

from keras_vit import InputError
from keras_vit.models import linear


def test_it_is_one_matrix_and_one_bias():
    assert [tuple(weight.shape) for weight in linear().weights] == [(784, 10), (10,)]


def hinge(logits, labels):
    """How far the right logit is from exceeding each other one, and 0, by 1."""
    rows = np.arange(len(labels))
    wrong = np.where(np.eye(logits.shape[1], dtype=bool)[labels], 0, logits).max(axis=1)
    return np.maximum(0, 1 + np.maximum(wrong, 0) - logits[rows, labels]).mean()


@pytest.mark.parametrize("scale", [0.1, 3.0])
def test_the_hinge_loss_of_keras_asks_for_a_margin_of_one(scale):
    rng = np.random.default_rng(0)
    logits, labels = scale * rng.normal(size=(9, 5)), rng.integers(0, 5, 9)
    loss = keras.losses.CategoricalHinge()(np.eye(5)[labels], logits)
    assert float(loss) == pytest.approx(hinge(logits, labels), abs=1e-6)


@pytest.mark.parametrize(
    "loss", [keras.losses.CategoricalCrossentropy(from_logits=True), keras.losses.CategoricalHinge()]
)
def test_softmax_regression_and_linear_svm_read_digits(loss):
    data = load_digits()
    images, labels = data.images[..., None] * (255 / 16), np.eye(10)[data.target]
    model = linear(image_size=8, seed=0)
    model.compile(keras.optimizers.Adam(0.05), loss, metrics=["accuracy"])
    keras.utils.set_random_seed(0)
    model.fit(images[:1400], labels[:1400], batch_size=100, epochs=6, verbose=0)
    assert model.evaluate(images[1400:], labels[1400:], verbose=0, return_dict=True)["accuracy"] > 0.87


def test_what_does_not_fit_is_refused_in_one_line():
    with pytest.raises(
        InputError, match=r"image_size to be int or a tuple of 2, received '28' \(str\)"
    ) as caught:
        linear(image_size="28")
    assert "\n" not in str(caught.value)
