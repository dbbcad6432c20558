"""Multi-head self-attention, forward and backward by hand, one head after the other."""

import keras
import numpy as np
import pytest
from ground_truth_contract import assert_equal, numerical_gradient, ours, randomised, weights_of

from keras_vit.layers import SelfAttention

NUM_HEADS, HIDDEN_DIM, LENGTH = 3, 12, 5


def attention(x, w, num_heads, causal, d_y):
    """Returns the outputs `(batch, length, hidden_dim)`, and the gradients of `sum(outputs * d_y)`.

    The fused kernel holds all heads' queries, then all keys, then all values.
    """
    hidden_dim = x.shape[-1]
    head_dim = hidden_dim // num_heads
    qkv = x @ w["qkv/kernel"] + w["qkv/bias"]
    mixed, d_qkv, heads = np.empty_like(x), np.empty_like(qkv), []
    for head in range(num_heads):
        places = [
            slice(i * hidden_dim + head * head_dim, i * hidden_dim + (head + 1) * head_dim) for i in range(3)
        ]
        query, key, value = (qkv[..., place] for place in places)
        scores = query @ key.transpose(0, 2, 1) / np.sqrt(head_dim)
        if causal:
            scores[:, ~np.tri(x.shape[1], dtype=bool)] = -np.inf
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        scores /= scores.sum(axis=-1, keepdims=True)
        mixed[..., places[0]] = scores @ value
        heads.append((places, query, key, value, scores))
    y = mixed @ w["projection/kernel"] + w["projection/bias"]

    d_mixed = d_y @ w["projection/kernel"].T
    for places, query, key, value, scores in heads:
        d_head = d_mixed[..., places[0]]
        d_scores = d_head @ value.transpose(0, 2, 1)
        d_scores = scores * (d_scores - (d_scores * scores).sum(axis=-1, keepdims=True)) / np.sqrt(head_dim)
        d_qkv[..., places[0]] = d_scores @ key
        d_qkv[..., places[1]] = d_scores.transpose(0, 2, 1) @ query
        d_qkv[..., places[2]] = scores.transpose(0, 2, 1) @ d_head
    gradients = {
        "qkv/kernel": np.einsum("bti,btj->ij", x, d_qkv),
        "qkv/bias": d_qkv.sum(axis=(0, 1)),
        "projection/kernel": np.einsum("bti,btj->ij", mixed, d_y),
        "projection/bias": d_y.sum(axis=(0, 1)),
    }
    return y, gradients, d_qkv @ w["qkv/kernel"].T


@pytest.fixture(params=[False, True], ids=["all keys", "causal"])
def case(request):
    x, direction = np.random.default_rng(4).normal(size=(2, 2, LENGTH, HIDDEN_DIM))
    layer = SelfAttention(NUM_HEADS, causal=request.param)
    layer.build(x.shape)
    return randomised(layer), x.astype("float32"), direction.astype("float32"), request.param


def test_self_attention_computes_what_numpy_does(case):
    layer, x, direction, causal = case
    y, gradients, by_x = ours(layer, x, lambda y: keras.ops.sum(y * direction))
    x, direction = x.astype("float64"), direction.astype("float64")
    expected, by_weights, d_x = attention(x, weights_of(layer), NUM_HEADS, causal, direction)
    assert_equal(y, expected)
    assert_equal(gradients, by_weights)
    assert_equal(by_x, d_x)


def test_the_gradients_by_hand_are_those_of_differences(case):
    layer, x, direction, causal = case
    x, direction, w = x.astype("float64"), direction.astype("float64"), weights_of(layer)

    def value(x, w):
        return (attention(x, w, NUM_HEADS, causal, direction)[0] * direction).sum()

    _, by_weights, d_x = attention(x, w, NUM_HEADS, causal, direction)
    np.testing.assert_allclose(numerical_gradient(lambda v: value(v, w), x), d_x, atol=1e-7)
    for name in w:
        found = numerical_gradient(lambda v, name=name: value(x, {**w, name: v}), w[name])
        np.testing.assert_allclose(found, by_weights[name], atol=1e-7)
