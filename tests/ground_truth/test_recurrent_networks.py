"""Recurrent models of characters, forward and backward through time by hand.

Each cell here takes `(batch, length, inputs)` and gives its states `(batch, length, hidden_dim)` and a
function from the gradient by these to those by the inputs and the weights. The GRU is Keras's default, with
`reset_after=True`: the reset gate is multiplied to what the recurrent kernel and its own bias have made of
the state, as in cuDNN, not to the state before it, as in the paper.
"""

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

from keras_vit.models import char_rnn

VOCABULARY_SIZE, HIDDEN_DIM, LENGTH, BATCH = 5, 4, 5, 2


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def simple(x, kernel, recurrent, bias):
    """h = tanh(x W + h' U + b)."""
    h, hidden = np.zeros((len(x), len(recurrent))), []
    for t in range(x.shape[1]):
        h = np.tanh(x[:, t] @ kernel + h @ recurrent + bias)
        hidden.append(h)
    hidden = np.stack(hidden, axis=1)

    def backward(d_hidden):
        d_a, d_h = np.empty_like(hidden), 0
        for t in reversed(range(x.shape[1])):
            d_a[:, t] = (d_hidden[:, t] + d_h) * (1 - hidden[:, t] ** 2)
            d_h = d_a[:, t] @ recurrent.T
        return d_a @ kernel.T, {
            "kernel": outer(x, d_a),
            "recurrent_kernel": outer(before(hidden), d_a),
            "bias": d_a.sum(axis=(0, 1)),
        }

    return hidden, backward


def lstm(x, kernel, recurrent, bias):
    """c = f c' + i g, h = o tanh(c); the kernels hold the gates i, f, g, o in this order."""
    size = len(recurrent)
    h = c = np.zeros((len(x), size))
    hidden, cells, gates = [], [], []
    for t in range(x.shape[1]):
        a = x[:, t] @ kernel + h @ recurrent + bias
        i, f, o = (sigmoid(a[:, k * size : (k + 1) * size]) for k in (0, 1, 3))
        g = np.tanh(a[:, 2 * size : 3 * size])
        c = f * c + i * g
        h = o * np.tanh(c)
        for kept, value in ((hidden, h), (cells, c), (gates, (i, f, g, o))):
            kept.append(value)
    hidden, cells = np.stack(hidden, axis=1), np.stack(cells, axis=1)
    cells_before = before(cells)

    def backward(d_hidden):
        d_a, d_h, d_c = np.empty((*x.shape[:2], 4 * size)), 0, 0
        for t in reversed(range(x.shape[1])):
            i, f, g, o = gates[t]
            d_h = d_hidden[:, t] + d_h
            squashed = np.tanh(cells[:, t])
            d_c = d_c + d_h * o * (1 - squashed**2)
            d_a[:, t] = np.concatenate(
                [
                    d_c * g * i * (1 - i),
                    d_c * cells_before[:, t] * f * (1 - f),
                    d_c * i * (1 - g**2),
                    d_h * squashed * o * (1 - o),
                ],
                axis=1,
            )
            d_c, d_h = d_c * f, d_a[:, t] @ recurrent.T
        return d_a @ kernel.T, {
            "kernel": outer(x, d_a),
            "recurrent_kernel": outer(before(hidden), d_a),
            "bias": d_a.sum(axis=(0, 1)),
        }

    return hidden, backward


def gru(x, kernel, recurrent, bias):
    """h = z h' + (1 - z) tanh(x W + b + r (h' U + b')); the kernels hold z, r and the candidate."""
    size = len(recurrent)
    h, hidden, kept = np.zeros((len(x), size)), [], []
    for t in range(x.shape[1]):
        a, inner = x[:, t] @ kernel + bias[0], h @ recurrent + bias[1]
        z, r = (sigmoid((a + inner)[:, k * size : (k + 1) * size]) for k in (0, 1))
        candidate = np.tanh(a[:, 2 * size :] + r * inner[:, 2 * size :])
        kept.append((z, r, candidate, inner[:, 2 * size :], h))
        h = z * h + (1 - z) * candidate
        hidden.append(h)
    hidden = np.stack(hidden, axis=1)

    def backward(d_hidden):
        d_a, d_inner, d_h = np.empty((*x.shape[:2], 3 * size)), np.empty((*x.shape[:2], 3 * size)), 0
        for t in reversed(range(x.shape[1])):
            z, r, candidate, inner, h_before = kept[t]
            d_h = d_hidden[:, t] + d_h
            d_candidate = d_h * (1 - z) * (1 - candidate**2)
            d_z = d_h * (h_before - candidate) * z * (1 - z)
            d_r = d_candidate * inner * r * (1 - r)
            d_a[:, t] = np.concatenate([d_z, d_r, d_candidate], axis=1)
            d_inner[:, t] = np.concatenate([d_z, d_r, d_candidate * r], axis=1)
            d_h = d_h * z + d_inner[:, t] @ recurrent.T
        return d_a @ kernel.T, {
            "kernel": outer(x, d_a),
            "recurrent_kernel": outer(before(hidden), d_inner),
            "bias": np.stack([d_a.sum(axis=(0, 1)), d_inner.sum(axis=(0, 1))]),
        }

    return hidden, backward


def before(states):
    """The states that each step started with; zeros for the first."""
    return np.concatenate([np.zeros_like(states[:, :1]), states[:, :-1]], axis=1)


def outer(x, d_y):
    return np.einsum("bti,btj->ij", x, d_y)


CELLS = {"simple": (simple, "simple_rnn_cell"), "lstm": (lstm, "lstm_cell"), "gru": (gru, "gru_cell")}
WEIGHTS = ("kernel", "recurrent_kernel", "bias")
NUM_LAYERS = 2


def characters(cell, tokens, targets, w):
    """Returns logits, loss and gradients of one-hot characters, two recurrent layers and a dense layer."""
    (forward, cell_name), backwards = CELLS[cell], []
    x = np.eye(VOCABULARY_SIZE)[tokens]
    for layer in range(NUM_LAYERS):
        x, backward = forward(x, *(w[f"rnn_{layer}/{cell_name}/{name}"] for name in WEIGHTS))
        backwards.append(backward)
    logits = x @ w["head/kernel"] + w["head/bias"]
    loss, d_logits = softmax_cross_entropy(logits, targets)
    gradients = {"head/kernel": outer(x, d_logits), "head/bias": d_logits.sum(axis=(0, 1))}
    d_x = d_logits @ w["head/kernel"].T
    for layer in reversed(range(NUM_LAYERS)):
        d_x, found = backwards[layer](d_x)
        gradients |= {f"rnn_{layer}/{cell_name}/{name}": found[name] for name in WEIGHTS}
    return logits, loss, gradients


@pytest.fixture(params=CELLS)
def case(request):
    model = char_rnn(
        request.param, vocabulary_size=VOCABULARY_SIZE, hidden_dim=HIDDEN_DIM, num_layers=NUM_LAYERS
    )
    for seed, name in enumerate(["rnn_0", "rnn_1", "head"]):
        randomised(model.get_layer(name), seed)
    rng = np.random.default_rng(5)
    tokens, targets = rng.integers(0, VOCABULARY_SIZE, (2, BATCH, LENGTH)).astype("int32")
    return request.param, model, tokens, targets


def test_the_model_of_characters_computes_what_numpy_does(case):
    cell, model, tokens, targets = case
    cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    logits, gradients, _ = ours(model, tokens, lambda logits: cross_entropy(targets, logits))
    expected, loss, by_weights = characters(cell, tokens, targets, weights_of(model))
    assert_equal(logits, expected)
    assert float(cross_entropy(targets, logits)) == pytest.approx(loss, rel=1e-5)
    assert_equal(gradients, by_weights)


def test_the_gradients_by_hand_are_those_of_differences(case):
    cell, model, tokens, targets = case
    w = weights_of(model)
    for name, gradient in characters(cell, tokens, targets, w)[2].items():
        found = numerical_gradient(
            lambda v, name=name: characters(cell, tokens, targets, {**w, name: v})[1], w[name]
        )
        np.testing.assert_allclose(found, gradient, atol=1e-8)
