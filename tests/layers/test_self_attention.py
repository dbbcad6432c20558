import keras
import numpy as np
import pytest

from keras_vit.layers import SelfAttention

X = np.random.default_rng(0).normal(size=(2, 6, 12)).astype("float32")


def reference(layer, x, mask=None):
    """Attention head by head and sample by sample, from the layer's weights."""
    qkv, qkv_bias, projection, projection_bias = (
        keras.ops.convert_to_numpy(w).astype("float64")
        for w in (layer.qkv.kernel, layer.qkv.bias, layer.projection.kernel, layer.projection.bias)
    )
    batch, length, dim = x.shape
    size = dim // layer.num_heads
    outputs, all_scores = np.zeros_like(x, "float64"), np.zeros((batch, layer.num_heads, length, length))
    for b in range(batch):
        q, k, v = np.split(x[b] @ qkv + qkv_bias, 3, axis=1)
        for h in range(layer.num_heads):
            cut = slice(h * size, (h + 1) * size)
            scores = q[:, cut] @ k[:, cut].T / np.sqrt(size)
            scores = scores if mask is None else np.where(mask, scores, -np.inf)
            scores = np.exp(scores - scores.max(axis=1, keepdims=True))
            scores /= scores.sum(axis=1, keepdims=True)
            all_scores[b, h], outputs[b, :, cut] = scores, scores @ v[:, cut]
    return outputs @ projection + projection_bias, all_scores


def test_outputs_and_scores_are_those_of_the_paper():
    layer = SelfAttention(3)
    y, scores = layer(X, return_attention_scores=True)
    expected, expected_scores = reference(layer, X)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(y), expected, atol=1e-5)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(scores), expected_scores, atol=1e-6)


def test_a_causal_mask_hides_the_future():
    layer, mask = SelfAttention(3), np.tril(np.ones((6, 6), bool))
    layer.build(X.shape)
    expected, _ = reference(layer, X, mask)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(layer(X, attention_mask=mask)), expected, atol=1e-5)
    changed = X.copy()
    changed[:, 4:] = 9
    y = keras.ops.convert_to_numpy(layer(changed, attention_mask=mask))
    np.testing.assert_allclose(y[:, :4], expected[:, :4], atol=1e-5)


def test_a_causal_layer_equals_a_causal_mask_also_where_the_length_is_unknown():
    layer = SelfAttention(3, causal=True)
    layer.build(X.shape)
    expected, _ = reference(layer, X, np.tril(np.ones((6, 6), bool)))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(layer(X)), expected, atol=1e-5)
    x = keras.Input((None, 12))
    y = keras.Model(x, layer(x)).predict(X, verbose=0)
    np.testing.assert_allclose(y, expected, atol=1e-5)


def test_a_causal_layer_also_respects_a_mask():
    layer, padding = SelfAttention(3, causal=True), np.array([1, 1, 1, 1, 0, 0], bool)
    layer.build(X.shape)
    expected, _ = reference(layer, X, np.tril(np.ones((6, 6), bool)) & padding)
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(layer(X, attention_mask=padding[None, None, None])), expected, atol=1e-5
    )


def test_qk_norm_makes_scores_blind_to_the_scale_of_queries():
    layer = SelfAttention(3, qk_norm=True)
    layer.build(X.shape)
    layer.qkv.bias.assign(np.zeros(36))
    _, small = layer(100 * X, return_attention_scores=True)  # far above the norm's epsilon
    _, large = layer(700 * X, return_attention_scores=True)
    difference = keras.ops.convert_to_numpy(small) - keras.ops.convert_to_numpy(large)
    assert np.abs(difference).max() < 1e-5


def test_a_key_without_bias_is_one_whose_bias_is_zero():
    layer, whole = SelfAttention(3, key_bias=False), SelfAttention(3)
    for each in (layer, whole):
        each.build(X.shape)
    bias = np.random.default_rng(1).normal(size=36)
    bias[12:24] = 0
    whole.qkv.bias.assign(bias)
    layer.query_value_bias.bias.assign(np.delete(bias, np.s_[12:24]))
    layer.qkv.kernel.assign(whole.qkv.kernel)
    layer.projection.kernel.assign(whole.projection.kernel)
    y, expected = (keras.ops.convert_to_numpy(each(X)) for each in (layer, whole))
    np.testing.assert_allclose(y, expected, atol=1e-6)
    assert layer.count_params() == whole.count_params() - 12


def test_a_sequence_of_unknown_length_is_served():
    x = keras.Input((None, 12))
    model = keras.Model(x, SelfAttention(3)(x))
    assert model(X[:, :4]).shape == (2, 4, 12)
    assert model(X).shape == (2, 6, 12)


def test_heads_that_do_not_divide_the_hidden_size_are_refused():
    with pytest.raises(ValueError, match="num_heads=5 and hidden_dim=12"):
        SelfAttention(5)(X)


def array(weight):
    return keras.ops.convert_to_numpy(weight)


def mimetic(seed=0, **options):
    keras.utils.set_random_seed(seed)
    layer = SelfAttention(num_heads=3, attention_initializer="mimetic", **options)
    layer.build((None, 5, 96))
    return layer


def test_mimetic_values_and_projection_multiply_to_a_negative_identity_with_noise():
    layer = mimetic()
    value = array(layer.qkv.kernel)[:, 2 * 96 :]
    product = value @ array(layer.projection.kernel)
    noise = (product + 0.4 * np.eye(96)) / (0.4 / np.sqrt(96))
    assert abs(noise.mean()) < 0.05 and abs(noise.std() - 1) < 0.05 and abs(noise.diagonal().mean()) < 0.3


def test_mimetic_queries_and_keys_of_a_head_are_the_best_of_low_rank_for_an_identity_with_noise():
    query, key, _ = np.split(array(mimetic().qkv.kernel), 3, axis=1)
    products = [query[:, part] @ key[:, part].T for part in (slice(0, 32), slice(32, 64), slice(64, 96))]
    for product in products:
        assert np.linalg.matrix_rank(product, tol=1e-3) == 32
        # The 32 largest of 96 singular values of 0.7 (Z + I), most of whose weight is on the diagonal.
        assert np.linalg.svd(product)[1][31] > 0.9
        assert 0.3 < product.diagonal().mean() < 0.7
    assert np.abs(products[0] - products[1]).max() > 0.1


def test_mimetic_weights_follow_the_global_seed_and_the_configuration():
    layer = mimetic()
    for other, is_equal in ((mimetic(), True), (mimetic(seed=1), False)):
        assert np.array_equal(array(other.qkv.kernel), array(layer.qkv.kernel)) == is_equal
    copy = SelfAttention.from_config(layer.get_config())
    assert copy.attention_initializer == "mimetic"
    plain = SelfAttention(num_heads=3)
    plain.build((None, 5, 96))
    assert plain.qkv.kernel.shape == layer.qkv.kernel.shape
    with pytest.raises(ValueError, match="attention_initializer to be one of mimetic"):
        SelfAttention(num_heads=3, attention_initializer="glorot")
