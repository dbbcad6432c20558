"""A hidden layer, logits and softmax cross-entropy, forward and backward by hand."""

import keras
import numpy as np
import pytest
from ground_truth_contract import (
    assert_equal,
    numerical_gradient,
    ours,
    randomised,
    softmax_cross_entropy,
    weights_of,
)

from keras_vit.models import mlp

ACTIVATIONS = {  # a function, and its derivative in terms of its argument
    "tanh": (np.tanh, lambda a: 1 - np.tanh(a) ** 2),
    "relu": (lambda a: np.maximum(a, 0), lambda a: a > 0),
}


def two_layers(images, labels, w, activation):
    """Returns the logits, the loss, and the gradients of the loss by the weights and the pixels."""
    function, derivative = ACTIVATIONS[activation]
    x = images.reshape(len(images), -1) / 255
    a = x @ w["dense_0/kernel"] + w["dense_0/bias"]
    h = function(a)
    logits = h @ w["head/kernel"] + w["head/bias"]
    loss, d_logits = softmax_cross_entropy(logits, labels)
    d_a = d_logits @ w["head/kernel"].T * derivative(a)
    gradients = {
        "dense_0/kernel": x.T @ d_a,
        "dense_0/bias": d_a.sum(axis=0),
        "head/kernel": h.T @ d_logits,
        "head/bias": d_logits.sum(axis=0),
    }
    return logits, loss, gradients, (d_a @ w["dense_0/kernel"].T / 255).reshape(images.shape)


@pytest.fixture(params=ACTIVATIONS)
def case(request):
    rng = np.random.default_rng(1)
    images, labels = rng.uniform(0, 255, (7, 6, 5, 1)), rng.integers(0, 4, 7)
    model = randomised(mlp(image_size=(6, 5), num_classes=4, hidden_dims=9, activation=request.param))
    return model, images, labels, request.param


def test_the_perceptron_computes_what_numpy_does(case):
    model, images, labels, activation = case
    cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    values = []

    def loss(logits):
        values.append(cross_entropy(labels, logits))
        return values[0]

    logits, gradients, by_images = ours(model, images.astype("float32"), loss)
    images = images.astype("float32").astype("float64")
    expected = two_layers(images, labels, weights_of(model), activation)
    assert_equal(logits, expected[0])
    assert float(values[0]) == pytest.approx(expected[1], rel=1e-5)
    assert_equal(gradients, expected[2])
    assert_equal(by_images, expected[3])


def test_the_gradients_by_hand_are_those_of_differences(case):
    model, images, labels, activation = case
    w = weights_of(model)
    _, _, gradients, by_images = two_layers(images, labels, w, activation)
    for name in w:
        found = numerical_gradient(
            lambda v, name=name: two_layers(images, labels, {**w, name: v}, activation)[1], w[name]
        )
        np.testing.assert_allclose(found, gradients[name], atol=1e-8)
    found = numerical_gradient(lambda v: two_layers(v, labels, w, activation)[1], images)
    np.testing.assert_allclose(found, by_images, atol=1e-8)
