import keras
import numpy as np
import pytest

from keras_vit.layers import ClassToken, RegisterTokens, TokenPooling

X = np.random.default_rng(0).normal(size=(3, 5, 8)).astype("float32")


def test_class_token_is_first_and_the_same_for_every_sample():
    layer = ClassToken()
    layer.build(X.shape)
    layer.token.assign(np.arange(8.0).reshape(1, 1, 8))
    y = keras.ops.convert_to_numpy(layer(X))
    np.testing.assert_array_equal(y[:, 0], np.tile(np.arange(8.0), (3, 1)))
    np.testing.assert_array_equal(y[:, 1:], X)


def test_registers_are_between_the_prefix_and_the_patches():
    layer = RegisterTokens(2, num_prefix_tokens=1)
    y = keras.ops.convert_to_numpy(layer(X))
    np.testing.assert_array_equal(y[:, :1], X[:, :1])
    np.testing.assert_array_equal(y[:, 3:], X[:, 1:])
    np.testing.assert_allclose(y[0, 1:3], keras.ops.convert_to_numpy(layer.tokens)[0])


def test_pooling_reads_the_first_token_or_the_mean_behind_the_prefix():
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(TokenPooling()(X)), X[:, 0])
    mean = keras.ops.convert_to_numpy(TokenPooling("gap", num_prefix_tokens=2)(X))
    np.testing.assert_allclose(mean, X[:, 2:].mean(axis=1), rtol=1e-5, atol=1e-6)


def test_no_registers_and_an_unknown_pooling_are_refused():
    with pytest.raises(ValueError, match="num_tokens from 1 to 1,000, received 0"):
        RegisterTokens(0)
    with pytest.raises(ValueError, match="mode to be one of token, gap, token_gap, received 'mean'"):
        TokenPooling("mean")


@pytest.mark.parametrize("arguments", [{"index": 5}, {"index": -1}, {"mode": "gap", "num_prefix_tokens": 5}])
def test_pooling_refuses_a_sequence_without_the_tokens_that_it_reads(arguments):
    with pytest.raises(ValueError, match="a sequence of 5 tokens"):
        TokenPooling(**arguments)(X)
