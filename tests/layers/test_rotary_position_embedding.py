import keras
import numpy as np
import pytest

from keras_vit.layers import RotaryPositionEmbedding, SelfAttention

RANDOM = np.random.default_rng(0)


def rotated(layer, x):
    return keras.ops.convert_to_numpy(layer(x))


def test_each_plane_turns_by_the_angle_of_its_row_or_column():
    rows, columns, base = 3, 2, 50.0
    x = RANDOM.normal(size=(1, 2, rows * columns, 8)).astype("float32")
    y = rotated(RotaryPositionEmbedding((rows, columns), base=base), x)
    for token in range(rows * columns):
        row, column = (2 * (token // columns) + 1) / rows - 1, (2 * (token % columns) + 1) / columns - 1
        for plane, angle in enumerate([row, row * base**-0.5, column, column * base**-0.5]):
            turn = np.exp(2j * np.pi * angle)
            before = x[0, :, token, plane] + 1j * x[0, :, token, 4 + plane]
            after = y[0, :, token, plane] + 1j * y[0, :, token, 4 + plane]
            np.testing.assert_allclose(after, before * turn, atol=1e-5)


def test_on_a_grid_of_reference_angles_are_places_in_it():
    x = np.ones((1, 1, 12, 4), "float32")
    y = rotated(RotaryPositionEmbedding((3, 4), reference_grid_size=(6, 2)), x)[0, 0].reshape(3, 4, 4)
    turned = np.angle((y[..., :2] + 1j * y[..., 2:]) / (1 + 1j))
    row, column = np.meshgrid([0, 2, 4], [0, 0.5, 1, 1.5], indexing="ij")
    np.testing.assert_allclose(np.exp(1j * turned), np.exp(1j * np.stack([row, column], -1)), atol=1e-6)


def test_products_of_queries_and_keys_know_only_how_far_apart_they_are():
    layer = RotaryPositionEmbedding((3, 5))
    query, key = (np.tile(RANDOM.normal(size=8), (1, 1, 15, 1)).astype("float32") for _ in range(2))
    scores = (rotated(layer, query) @ rotated(layer, key).transpose(0, 1, 3, 2)).reshape(3, 5, 3, 5)
    np.testing.assert_allclose(scores[1:, 1:, 1:, 1:], scores[:-1, :-1, :-1, :-1], atol=1e-5)
    assert np.ptp(scores[0, 0]) > 0.1


def test_prefix_tokens_stay_as_they_are():
    x = RANDOM.normal(size=(2, 1, 3 + 4, 4)).astype("float32")
    y = rotated(RotaryPositionEmbedding(2, num_prefix_tokens=3), x)
    np.testing.assert_array_equal(y[:, :, :3], x[:, :, :3])
    assert (y[:, :, 3:] != x[:, :, 3:]).all()


def test_attention_distinguishes_shuffled_patches_only_with_it():
    x = RANDOM.normal(size=(1, 1 + 6, 8)).astype("float32")
    order = [0, *(1 + RANDOM.permutation(6))]
    for rotary, differs in ((None, False), ({"grid_size": [2, 3], "num_prefix_tokens": 1}, True)):
        layer = SelfAttention(2, rotary=rotary)
        y, shuffled = (keras.ops.convert_to_numpy(layer(v)) for v in (x, x[:, order]))
        assert bool(np.abs(y[:, order] - shuffled).max() > 1e-3) is differs


def test_sequences_heads_and_bases_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="Expected 10 tokens"):
        RotaryPositionEmbedding(3, num_prefix_tokens=1)(np.zeros((1, 1, 9, 8)))
    with pytest.raises(ValueError, match="multiple of 4, received 6"):
        RotaryPositionEmbedding(3)(np.zeros((1, 1, 9, 6)))
    with pytest.raises(ValueError, match="base of at least 1e-06, received 0"):
        RotaryPositionEmbedding(3, base=0)
