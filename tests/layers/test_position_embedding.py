import importlib.util

import keras
import numpy as np
import pytest

from keras_vit.layers import PositionEmbedding
from keras_vit.layers.position_embedding import resampling_matrix


def added(layer, length, dim):
    return keras.ops.convert_to_numpy(layer(np.zeros((1, length, dim), "float32")))[0]


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is the reference")
@pytest.mark.parametrize(("source", "target"), [((7, 5), (9, 14)), ((8, 8), (3, 5)), ((14, 14), (16, 12))])
def test_resampling_is_that_of_torch_with_antialias(source, target):
    import torch

    grid = np.random.default_rng(0).normal(size=(1, 6, *source)).astype("float32")
    expected = torch.nn.functional.interpolate(
        torch.from_numpy(grid), target, mode="bicubic", antialias=True, align_corners=False
    ).numpy()
    layer = PositionEmbedding(source, target_grid_size=target)
    layer.build((None, target[0] * target[1], 6))
    layer.embedding.assign(grid[0].reshape(6, -1).T)
    ours = added(layer, target[0] * target[1], 6).T.reshape(1, 6, *target)
    np.testing.assert_allclose(ours, expected, atol=5e-6)  # values up to 4, float32


def test_resampling_to_the_same_size_is_the_identity():
    np.testing.assert_allclose(resampling_matrix(6, 6), np.eye(6), atol=1e-7)


def test_resampling_keeps_a_constant():
    np.testing.assert_allclose(resampling_matrix(5, 13).sum(axis=1), 1, atol=1e-6)


def test_the_weight_stays_as_trained_when_resampled_and_saved(tmp_path):
    x = keras.Input((1 + 24, 8))
    model = keras.Model(x, PositionEmbedding(3, num_prefix_tokens=1, target_grid_size=(4, 6), name="p")(x))
    trained = model.get_weights()[0]
    assert trained.shape == (10, 8)
    model.save(tmp_path / "m.keras")
    np.testing.assert_array_equal(keras.saving.load_model(tmp_path / "m.keras").get_weights()[0], trained)


def test_prefix_tokens_are_not_resampled():
    layer = PositionEmbedding(3, num_prefix_tokens=2, target_grid_size=5)
    y = added(layer, 27, 8)
    np.testing.assert_allclose(y[:2], keras.ops.convert_to_numpy(layer.embedding)[:2])


@pytest.mark.parametrize("kind", ["sincos_1d", "sincos_2d"])
def test_fixed_embeddings_have_no_weights_and_leave_the_prefix_alone(kind):
    layer = PositionEmbedding((2, 3), kind=kind, num_prefix_tokens=1)
    y = added(layer, 7, 16)
    assert layer.weights == []
    assert not y[0].any()
    assert len(np.unique(y[1:].round(5), axis=0)) == 6


def test_sincos_2d_distinguishes_rows_from_columns():
    grid = added(PositionEmbedding((3, 4), kind="sincos_2d"), 12, 16).reshape(3, 4, 16)
    assert np.ptp(grid[..., :8], axis=0).max() == 0  # the first half knows the column alone
    assert np.ptp(grid[..., 8:], axis=1).max() == 0  # the second the row alone


def test_sincos_1d_is_that_of_the_first_transformer():
    y = added(PositionEmbedding((1, 5), kind="sincos_1d"), 5, 2)
    np.testing.assert_allclose(y, np.stack([np.sin(np.arange(5)), np.cos(np.arange(5))], 1), atol=1e-6)


def test_wrong_lengths_kinds_and_sizes_are_refused():
    with pytest.raises(ValueError, match="Expected 10 tokens"):
        PositionEmbedding(3, num_prefix_tokens=1)(np.zeros((1, 9, 8)))
    with pytest.raises(ValueError, match="one of learned"):
        PositionEmbedding(3, kind="rotary")
    with pytest.raises(ValueError, match="multiple of 4"):
        PositionEmbedding(3, kind="sincos_2d")(np.zeros((1, 9, 6)))
