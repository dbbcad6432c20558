"""Layers and encoders that make fewer tokens of many."""

import keras
import numpy as np
import pytest

from keras_vit import InputError
from keras_vit.layers import GridPooling, PatchMerger, TransformerEncoder

RNG = np.random.default_rng(0)
X = RNG.normal(size=(2, 17, 12)).astype("float32")
OPTIONS = {"num_layers": 4, "num_heads": 3, "mlp_dim": 24}
MERGER = {"kind": "merger", "after": 3, "num_tokens": 4, "num_prefix_tokens": 1}
POOLING = {"kind": "pooling", "after": 3, "grid_size": [4, 4], "num_prefix_tokens": 1}


def array(x):
    return keras.ops.convert_to_numpy(x)


def test_a_merged_token_is_the_mean_of_patches_by_the_softmax_of_its_query():
    layer = PatchMerger(3, num_prefix_tokens=1, epsilon=1e-3)
    layer.build(X.shape)
    gamma, beta, queries = (RNG.normal(size=shape) for shape in (12, 12, (3, 12)))
    layer.norm.set_weights([gamma, beta])
    layer.queries.assign(queries)
    patches = X[:, 1:].astype("float64")
    normed = patches - patches.mean(axis=-1, keepdims=True)
    normed = normed / np.sqrt((normed**2).mean(axis=-1, keepdims=True) + 1e-3) * gamma + beta
    scores = np.exp(np.einsum("nd,bld->bnl", queries, normed))
    expected = np.einsum("bnl,bld->bnd", scores / scores.sum(axis=-1, keepdims=True), patches)
    y = array(layer(X))
    np.testing.assert_array_equal(y[:, :1], X[:, :1])
    np.testing.assert_allclose(y[:, 1:], expected, rtol=1e-4, atol=1e-5)


def test_pooling_takes_the_mean_of_two_rows_and_two_columns():
    x = RNG.normal(size=(2, 2 + 24, 3)).astype("float32")
    y = array(GridPooling((4, 6), num_prefix_tokens=2)(x))
    np.testing.assert_array_equal(y[:, :2], x[:, :2])
    grid = x[:, 2:].reshape(2, 4, 6, 3)
    expected = [grid[:, i : i + 2, j : j + 2].mean(axis=(1, 2)) for i in (0, 2) for j in (0, 2, 4)]
    np.testing.assert_allclose(y[:, 2:], np.stack(expected, axis=1), atol=1e-6)


@pytest.mark.parametrize("reduction", [MERGER, POOLING], ids=["merger", "pooling"])
@pytest.mark.parametrize("remat", [False, True])
def test_an_encoder_reduces_between_two_blocks(reduction, remat):
    encoder = TransformerEncoder(**OPTIONS, reduction=reduction, remat=remat)
    y, scores, states = encoder(X, return_attention_scores=True, return_hidden_states=True)
    x = X
    for block in encoder.blocks[:3]:
        x = block(x)
    x = encoder.blocks[3](encoder.reducer(x))
    np.testing.assert_allclose(array(y), array(encoder.norm(x)), atol=1e-5)
    assert [s.shape[-1] for s in scores] == [s.shape[1] for s in states] == [17, 17, 17, 5]
    tokens = keras.Input(X.shape[1:])
    symbolic = encoder(tokens, return_attention_scores=True, return_hidden_states=True)
    for one, other in zip(keras.tree.flatten(symbolic), keras.tree.flatten((y, scores, states)), strict=True):
        assert one.shape[1:] == other.shape[1:]


def test_blocks_behind_a_pooling_turn_queries_by_the_pooled_grid():
    rotary = {"grid_size": [4, 4], "num_prefix_tokens": 1}
    encoder = TransformerEncoder(**OPTIONS, rotary=rotary, reduction=POOLING)
    assert [block.rotary["grid_size"] for block in encoder.blocks] == [[4, 4]] * 3 + [[2, 2]]
    assert encoder(X).shape == (2, 5, 12)


@pytest.mark.parametrize(
    ("reduction", "options", "message"),
    [
        ({**MERGER, "kind": "mean"}, {}, "merger or pooling, received 'mean'"),
        ({**MERGER, "after": 4}, {}, "from 1 to 3, received 4"),
        ({**MERGER, "after": True}, {}, "from 1 to 3, received True"),
        ({"kind": "merger", "num_tokens": 3}, {}, "received None"),
        ({**MERGER, "num_tokens": 16}, {}, "more than 16 patches to merge into 16 tokens, received 16"),
        ({**MERGER, "tokens": 3}, {}, "does not accept 'tokens'"),
        ({**POOLING, "grid_size": [2, 8], "num_prefix_tokens": 0}, {}, "Expected 16 tokens .* received 17"),
        ({**POOLING, "grid_size": [16, 1]}, {}, "even sides, .* received 16 x 1"),
        (MERGER, {"causal": True}, "received causal=True"),
        (MERGER, {"rotary": {"grid_size": [4, 4], "num_prefix_tokens": 1}}, "choose the kind 'pooling'"),
    ],
)
def test_a_reduction_that_does_not_fit_is_refused_in_one_line(reduction, options, message):
    with pytest.raises(InputError, match=message) as caught:
        TransformerEncoder(**OPTIONS, reduction=reduction, **options)(X)
    assert "\n" not in str(caught.value)


def test_a_mask_of_pairs_of_tokens_is_refused_where_tokens_are_reduced():
    with pytest.raises(InputError, match="accepts no attention_mask"):
        TransformerEncoder(**OPTIONS, reduction=MERGER)(X, attention_mask=np.ones((17, 17), bool))


def test_both_masks_of_tokens_hide_tokens_from_what_is_merged():
    encoder = TransformerEncoder(**OPTIONS, reduction=MERGER)
    seen = np.arange(17) < np.array([[17], [6]])
    hidden = np.where(seen[..., None], X, 5.0)
    np.testing.assert_allclose(array(encoder(X, mask=seen)), array(encoder(hidden, mask=seen)), atol=1e-5)
    both = array(encoder(X, mask=seen, x_mask=np.arange(17)[None] < 6))
    np.testing.assert_allclose(both[1], array(encoder(X, mask=seen))[1], atol=1e-5)
    assert np.abs(both[0] - array(encoder(X, mask=seen))[0]).max() > 1e-3
