"""Rotations change no result and make channels equally large."""

import numpy as np
import pytest
import tensorflow as tf

from keras_vit.export.mobile import mobile_form
from keras_vit.export.mobile.rotation import rotation, rotation_of_heads, without_mean
from keras_vit.models import vit


@pytest.mark.parametrize("width", [1, 7, 96, 384])
def test_a_rotation_is_orthogonal_and_always_the_same(width):
    np.testing.assert_allclose(rotation(width) @ rotation(width).T, np.eye(width), atol=1e-12)
    np.testing.assert_array_equal(rotation.__wrapped__(width), rotation(width))


@pytest.mark.parametrize("width", [96, 384])
def test_the_value_of_one_channel_is_spread_over_all(width):
    assert np.abs(rotation(width)).max() <= np.sqrt(2 / width) + 1e-12


def test_tokens_lose_their_mean_and_keep_their_variance():
    x = np.random.default_rng(0).normal(3.0, 2.0, (5, 12))
    rotated = x @ without_mean(12)
    np.testing.assert_allclose(np.square(rotated).mean(axis=1), x.var(axis=1), rtol=1e-12)


def test_a_head_is_rotated_by_itself():
    matrix = rotation_of_heads(12, 3)
    np.testing.assert_array_equal(matrix[:4, 4:], 0)
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(12), atol=1e-12)


def test_normalizations_of_an_encoder_need_no_mean_of_their_own():
    graph = traced(vit("Pico/4", num_layers=3, num_classes=10), (1, 8, 8, 3))
    means = [operation for operation in graph.get_operations() if operation.type == "Mean"]
    assert len(means) == 2 * 3 + 1  # of squares: two a block, and the last normalization


def test_the_rotation_is_folded_into_the_embedding():
    """No product of matrices more than the layers have: qkv, two of attention, projection, two of the MLP."""
    graph = traced(vit("Pico/4", num_layers=2, num_registers=1, num_classes=10), (1, 8, 8, 3))
    products = [operation for operation in graph.get_operations() if "MatMul" in operation.type]
    last_block_splits_queries = 1
    assert len(products) == 1 + 2 * 6 + last_block_splits_queries + 1


def traced(model, shape):
    return tf.function(mobile_form(model)).get_concrete_function(tf.TensorSpec(shape)).graph
