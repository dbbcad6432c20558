"""Batch normalisation, forward, backward and its moving statistics by hand."""

import keras
import numpy as np
import pytest
from ground_truth_contract import assert_equal, numerical_gradient, ours, randomised, weights_of

from keras_vit.models import cnn, resnet

# The layers as our models make them, with their momentum and epsilon.
LAYERS = {
    "cnn, images": lambda: cnn(batch_norm=True, image_size=8).get_layer("norm_conv_0_0"),
    "cnn, vectors": lambda: cnn(batch_norm=True, image_size=8, hidden_dim=6).get_layer("norm_dense"),
    "resnet, images": lambda: resnet("20", image_size=8).get_layer("norm_stem"),
}
MOMENTUM = 0.9
EPSILON = {"cnn, images": 1e-3, "cnn, vectors": 1e-3, "resnet, images": 1e-5}


def batch_norm(x, gamma, beta, epsilon, d_y):
    """Returns the outputs in training, mean and variance of the batch, and the gradients.

    The variance is the mean of the squares, as the paper's algorithm 1 has it; `d_y` is the gradient by
    the outputs.
    """
    shape, x = x.shape, x.reshape(-1, x.shape[-1])
    d_y = d_y.reshape(x.shape)
    mean, variance = x.mean(axis=0), x.var(axis=0)
    deviation = np.sqrt(variance + epsilon)
    normal = (x - mean) / deviation
    y = gamma * normal + beta
    d_normal = d_y * gamma
    d_x = (d_normal - d_normal.mean(axis=0) - normal * (d_normal * normal).mean(axis=0)) / deviation
    gradients = {"gamma": (d_y * normal).sum(axis=0), "beta": d_y.sum(axis=0)}
    return y.reshape(shape), (mean, variance), gradients, d_x.reshape(shape)


def arrays(channels, dims):
    rng = np.random.default_rng(2)
    shape = (5, 4, 3, channels)[-dims:] if dims == 4 else (5, channels)
    return rng.normal(1, 2, shape), rng.normal(size=shape)


def short(named):
    return {name.split("/")[-1]: value for name, value in named.items()}


@pytest.mark.parametrize("name", LAYERS)
def test_training_normalises_by_the_batch_and_moves_the_statistics(name):
    layer = randomised(LAYERS[name]())
    before = short(weights_of(layer))
    x, direction = arrays(len(before["gamma"]), 2 if "vectors" in name else 4)
    x = x.astype("float32")
    y, gradients, by_x = ours(
        layer, x, lambda y: keras.ops.sum(y * direction.astype("float32")), training=True
    )
    expected, statistics, by_weights, d_x = batch_norm(
        x.astype("float64"), before["gamma"], before["beta"], EPSILON[name], direction
    )
    assert_equal(y, expected)
    assert_equal(short(gradients), by_weights)
    assert_equal(by_x, d_x)
    after = short(weights_of(layer))
    for which, of_batch in zip(("moving_mean", "moving_variance"), statistics, strict=True):
        assert_equal(after[which], MOMENTUM * before[which] + (1 - MOMENTUM) * of_batch)


@pytest.mark.parametrize("name", LAYERS)
def test_inference_normalises_by_the_moving_statistics_and_leaves_them(name):
    layer = randomised(LAYERS[name]())
    w = short(weights_of(layer))
    x, _ = arrays(len(w["gamma"]), 2 if "vectors" in name else 4)
    y = keras.ops.convert_to_numpy(layer(x.astype("float32"), training=False))
    deviation = np.sqrt(w["moving_variance"] + EPSILON[name])
    assert_equal(y, w["gamma"] * (x - w["moving_mean"]) / deviation + w["beta"])
    assert_equal(short(weights_of(layer)), w)


def test_the_gradients_by_hand_are_those_of_differences():
    rng = np.random.default_rng(3)
    gamma, beta = rng.normal(size=(2, 3))
    x, direction = arrays(3, 4)

    def value(x, gamma, beta):
        return (batch_norm(x, gamma, beta, 1e-3, direction)[0] * direction).sum()

    _, _, gradients, d_x = batch_norm(x, gamma, beta, 1e-3, direction)
    np.testing.assert_allclose(numerical_gradient(lambda v: value(v, gamma, beta), x), d_x, atol=1e-7)
    for_gamma = numerical_gradient(lambda v: value(x, v, beta), gamma)
    np.testing.assert_allclose(for_gamma, gradients["gamma"], atol=1e-7)
    for_beta = numerical_gradient(lambda v: value(x, gamma, v), beta)
    np.testing.assert_allclose(for_beta, gradients["beta"], atol=1e-7)
