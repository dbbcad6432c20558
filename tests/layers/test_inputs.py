"""A layer that is called on something else says which axes it needs, and what it received."""

import keras
import numpy as np
import pytest

from keras_vit import InputError, layers

TOKENS = {
    "encoder": lambda: layers.TransformerEncoder(1, 3, 20),
    "block": lambda: layers.TransformerBlock(3, 20),
    "attention": lambda: layers.SelfAttention(3),
    "attention pooling": lambda: layers.AttentionPooling(3, 20),
    "token pooling": lambda: layers.TokenPooling("gap"),
    "class token": layers.ClassToken,
    "registers": lambda: layers.RegisterTokens(2),
    "positions": lambda: layers.PositionEmbedding((1, 9)),
}
ANY_RANK = {"mlp": lambda: layers.MLP(20), "scale": layers.LayerScale}
IMAGES = {
    "patches": lambda: layers.PatchExtraction(2),
    "embedding": lambda: layers.PatchEmbedding(12, 2),
    "normalization": layers.ImageNormalization,
}


def zeros(*shape, dtype="float32"):
    return np.zeros(shape, dtype)


@pytest.mark.parametrize("make", TOKENS.values(), ids=TOKENS.keys())
@pytest.mark.parametrize(
    "x", [zeros(12), zeros(2, 12), zeros(2, 3, 2, 12), keras.Input((4, None)), "x", None]
)
def test_layers_of_tokens_expect_three_axes(make, x):
    with pytest.raises(InputError, match=r"expected x of shape \(batch, length, hidden_dim\), received "):
        make()(x)


@pytest.mark.parametrize("make", TOKENS.values(), ids=TOKENS.keys())
def test_layers_of_tokens_expect_floats(make):
    with pytest.raises(InputError, match="expected floats, received int32. Cast x, or embed tokens first"):
        make()(zeros(2, 6, 12, dtype="int32"))


@pytest.mark.parametrize("make", ANY_RANK.values(), ids=ANY_RANK.keys())
@pytest.mark.parametrize("x", [zeros(12), keras.Input((4, None))])
def test_layers_of_channels_expect_a_known_last_axis(make, x):
    with pytest.raises(InputError, match=r"\(batch, ..., hidden_dim\), .* with a known hidden_dim"):
        make()(x)


@pytest.mark.parametrize("shape", [(2, 12), (2, 5, 12), (2, 3, 4, 12), (2, 1, 3, 4, 12)])
def test_an_mlp_keeps_every_axis(shape):
    layer, x = layers.MLP(20), np.random.default_rng(0).normal(size=shape).astype("float32")
    y, rows = (keras.ops.convert_to_numpy(layer(each)) for each in (x, x.reshape(-1, 12)))
    assert y.shape == shape
    np.testing.assert_allclose(y.reshape(-1, 12), rows, atol=1e-6)


@pytest.mark.parametrize("make", IMAGES.values(), ids=IMAGES.keys())
@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 3), (2, 2, 8, 8, 3)])
def test_layers_of_images_expect_four_axes(make, shape):
    with pytest.raises(
        InputError, match=r"expected x of shape \(batch, height, width, channels\), received "
    ):
        make()(zeros(*shape))


WITH_WEIGHTS = {**TOKENS, **ANY_RANK}
del WITH_WEIGHTS["token pooling"]


@pytest.mark.parametrize("make", WITH_WEIGHTS.values(), ids=WITH_WEIGHTS.keys())
def test_another_width_than_that_of_the_weights_is_refused(make):
    layer = make()
    layer(zeros(2, 6, 12))
    with pytest.raises(InputError, match=r"was built for hidden_dim=12, received x of shape \(2, 6, 9\)"):
        layer(zeros(2, 6, 9))
    layer(zeros(3, 6, 12))


def test_layers_without_weights_serve_every_width():
    pool, cut = layers.TokenPooling("gap"), layers.PatchExtraction(2)
    assert [pool(zeros(2, 6, width)).shape[-1] for width in (12, 9)] == [12, 9]
    assert [cut(zeros(2, 4, 4, channels)).shape[-1] for channels in (3, 1)] == [12, 4]


@pytest.mark.parametrize(("length", "axes"), [(9, 4), (4, 3)])
def test_a_rotation_is_for_one_grid_of_each_head(length, axes):
    rotation = layers.RotaryPositionEmbedding((2, 2))
    rotation(zeros(2, 3, 4, 8))
    with pytest.raises(InputError, match=r"Expected 4 tokens|\(batch, num_heads, length, head_dim\)"):
        rotation(zeros(2, 3, length, 8)[(0,) * (4 - axes)])


def test_an_encoder_with_rotation_refuses_another_grid_once_built():
    encoder = layers.TransformerEncoder(1, 2, 8, rotary={"grid_size": (2, 2)})
    encoder(zeros(2, 4, 8))
    with pytest.raises(InputError, match="Expected 4 tokens .* received 9"):
        encoder(zeros(2, 9, 8))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: layers.TransformerEncoder(2),
            "Encoder.* wrong arguments: missing .* 'num_heads'",
        ),
        (lambda: layers.MLP(8, "gelu", False, 1e-6, 0.0, None, 3), "MLP.* too many positional"),
        (lambda: layers.MLP(8, mlp_dim=8), "MLP.* multiple values for argument 'mlp_dim'"),
        (
            lambda: layers.SelfAttention(3, rotary={})(zeros(2, 5, 12)),
            "Rotary.* received wrong arguments: missing .* 'grid_size'",
        ),
        (lambda: layers.MLP(8, kernel_initializer="glorot"), "initializer identifier: glorot"),
        (lambda: layers.MLP(8, kernel_regularizer="l3"), "regularizer identifier: l3"),
        (lambda: layers.MLP(8, dtype="float33"), "'float33'"),
    ],
)
def test_wrong_arguments_are_one_input_error(make, message):
    with pytest.raises(InputError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)
