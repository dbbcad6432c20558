"""Masks of tokens and of attention mean what they mean in Keras."""

import keras
import numpy as np
import pytest

from keras_vit import layers

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(3, 6, 12)).astype("float32")
PADDING = np.arange(6) < np.array([[6], [4], [2]])


def numpy(x):
    return keras.ops.convert_to_numpy(x)


def twins():
    """A Keras attention and one of ours with the same weights."""
    ours, theirs = layers.SelfAttention(3), keras.layers.MultiHeadAttention(3, 4)
    ours.build(X.shape)
    theirs.build(X.shape, X.shape)
    kernel, projection = numpy(ours.qkv.kernel), numpy(ours.projection.kernel)
    zeros = np.zeros((3, 4), "float32")
    parts = [[part.reshape(12, 3, 4), zeros] for part in np.split(kernel, 3, axis=1)]
    theirs.set_weights([*sum(parts, []), projection.reshape(3, 4, 12), np.zeros(12)])
    return ours, theirs


@pytest.mark.parametrize("shape", [(6, 6), (3, 6, 6), (3, 1, 6, 6), (1, 3, 6, 6)])
def test_an_attention_mask_means_what_it_means_in_keras(shape):
    ours, theirs = twins()
    mask = (RANDOM.random(shape) < 0.5) | np.eye(6, dtype=bool)
    expected = numpy(theirs(X, X, attention_mask=mask))
    np.testing.assert_allclose(numpy(ours(X, attention_mask=mask)), expected, atol=1e-5)


def test_a_mask_of_tokens_and_an_attention_mask_hold_together():
    ours, theirs = twins()
    mask = (RANDOM.random((3, 6, 6)) < 0.5) | np.eye(6, dtype=bool)
    expected = numpy(theirs(X, X, query_mask=PADDING, value_mask=PADDING, attention_mask=mask))
    y = numpy(ours(X, mask=PADDING, attention_mask=mask))
    np.testing.assert_allclose(y[PADDING], expected[PADDING], atol=1e-5)


@pytest.mark.parametrize("shape", [(6,), (3, 6), (3, 5, 6), (1, 3, 1, 6, 6)])
def test_a_mask_of_another_shape_is_refused(shape):
    with pytest.raises(ValueError, match="Expected attention_mask to be .* as mask"):
        layers.SelfAttention(3)(X, attention_mask=np.ones(shape, bool))


@pytest.mark.parametrize("shape", [(4, 6, 6), (3, 2, 6, 6), (2, 3, 6, 6)])
def test_an_attention_mask_of_another_batch_or_number_of_heads_is_refused(shape):
    with pytest.raises(ValueError, match="and 3 heads, received"):
        layers.TransformerEncoder(1, 3, 20)(X, attention_mask=np.ones(shape, bool))


MASKED = {
    "encoder": lambda: layers.TransformerEncoder(1, 3, 20),
    "attention": lambda: layers.SelfAttention(3),
    "mean": lambda: layers.TokenPooling("gap"),
    "attention pooling": lambda: layers.AttentionPooling(3, 20),
}


@pytest.mark.parametrize("make", MASKED.values(), ids=MASKED.keys())
@pytest.mark.parametrize("shape", [(6,), (3, 5), (2, 6), (3, 6, 6)])
def test_a_mask_of_tokens_of_another_shape_is_refused(make, shape):
    with pytest.raises(
        ValueError, match=r"Expected mask to be \(batch, length\) for x of shape \(3, 6, 12\)"
    ):
        make()(X, mask=np.ones(shape, bool))


@pytest.mark.parametrize("pool", [layers.TokenPooling("gap"), layers.AttentionPooling(3, 20)])
@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_padding_does_not_change_the_answer(pool, dtype):
    encoder = layers.TransformerEncoder(2, 3, 20, dtype=dtype)
    tokens = keras.Input((None,), dtype="int32")
    x = keras.layers.Embedding(50, 12, mask_zero=True)(tokens)
    x = layers.RegisterTokens(2, num_prefix_tokens=1)(layers.ClassToken()(x))
    model = keras.Model(tokens, pool(encoder(x)))
    short, padded = numpy(model(np.array([[5, 7]]))), numpy(model(np.array([[5, 7, 0, 0, 0]])))
    np.testing.assert_allclose(padded, short, atol=1e-5 if dtype == "float32" else 3e-2)


@pytest.mark.parametrize("pool", [layers.TokenPooling("gap"), layers.AttentionPooling(3, 20)])
def test_masked_time_steps_do_not_change_the_answer(pool):
    x = keras.Input((None, 12))
    model = keras.Model(x, pool(layers.TransformerEncoder(1, 3, 20)(keras.layers.Masking()(x))))
    padded = np.concatenate([X, np.zeros_like(X)], axis=1)
    np.testing.assert_allclose(numpy(model(padded)), numpy(model(X)), atol=1e-5)


@pytest.mark.parametrize("layer", [layers.PatchExtraction(4), layers.PatchEmbedding(12, 4)])
def test_a_mask_of_pixels_does_not_become_one_of_tokens(layer):
    images = keras.layers.Masking()(np.ones((2, 8, 8, 3), "float32"))
    with pytest.warns(UserWarning, match="does not support masking"):
        tokens = layer(images)
    layers.TransformerEncoder(1, 3, 20)(tokens)


def test_added_tokens_are_seen():
    mask = numpy(layers.RegisterTokens(2, num_prefix_tokens=1).compute_mask(X, PADDING))
    np.testing.assert_array_equal(mask, np.insert(PADDING, [1, 1], True, axis=1))
