"""Layers inside layers: there before the first call, with settings and random numbers of their own."""

import keras
import numpy as np
import pytest

from keras_vit import layers
from keras_vit.keras_internals import all_layers

X = np.random.default_rng(0).normal(size=(2, 6, 12)).astype("float32")


def numpy(x):
    return keras.ops.convert_to_numpy(x)


def random_layers(layer):
    return [x for x in all_layers(layer) if isinstance(x, (keras.layers.Dropout, layers.DropPath))]


@pytest.mark.parametrize("make", [lambda: keras.layers.Dense(12), lambda: layers.TransformerBlock(3, 20)])
def test_float8_layers_give_equal_outputs(make, tmp_path):
    x = keras.Input((6, 12))
    model = keras.Model(x, make()(x))
    model.quantize("float8")
    expected = numpy(model(X))
    model.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(numpy(keras.saving.load_model(tmp_path / "model.keras")(X)), expected)
    # A clone orders its weights otherwise, that of Keras's Dense too, so that `set_weights` fails on it.
    clone = keras.models.clone_model(model)
    values = {weight.path: weight for weight in model.weights}
    assert {weight.path for weight in clone.weights} == set(values)
    for weight in clone.weights:
        weight.assign(values[weight.path])
    np.testing.assert_array_equal(numpy(clone(X)), expected)


def test_the_blocks_exist_and_can_be_frozen_before_the_first_call():
    encoder = layers.TransformerEncoder(3, 3, 20)
    for block in encoder.blocks[:2]:
        block.trainable = False
    encoder(X)
    assert len(encoder.trainable_weights) == len(encoder.blocks[2].weights) + 2


def test_no_two_random_layers_draw_the_same_mask():
    encoder = layers.TransformerEncoder(
        2, 3, 20, dropout_rate=0.5, attention_dropout_rate=0.5, drop_path_rate=0.5, seed=0
    )
    encoder.build(X.shape)
    ones = np.ones((64, 6, 12), "float32")
    masks = [numpy(x(ones, training=True)) > 0 for x in random_layers(encoder) if getattr(x, "rate", 0)]
    assert len(masks) == 7  # three dropouts in each block, and the second block's drop path
    for index, mask in enumerate(masks):
        assert all((mask != other).any() for other in masks[:index])


def test_rematerialized_blocks_have_the_same_gradients():
    weights = []
    for remat in (False, True):
        keras.utils.set_random_seed(0)
        x = keras.Input((6, 12))
        model = keras.Model(x, layers.TransformerEncoder(2, 3, 20, remat=remat)(x))
        model.compile(keras.optimizers.SGD(0.1), "mse")
        model.train_on_batch(X, np.zeros_like(X))
        weights.append(model.get_weights())
    for plain, rematerialized in zip(*weights, strict=True):
        np.testing.assert_allclose(rematerialized, plain, atol=1e-6)


def test_hidden_states_are_the_outputs_of_the_blocks():
    encoder = layers.TransformerEncoder(2, 3, 20)
    y, states = encoder(X, return_hidden_states=True)
    np.testing.assert_allclose(numpy(states[0]), numpy(encoder.blocks[0](X)), atol=1e-6)
    np.testing.assert_allclose(numpy(encoder.norm(states[1])), numpy(y), atol=1e-6)


def test_a_function_as_activation_and_initializers_and_regularizers_are_saved():
    block = layers.TransformerBlock(
        3,
        20,
        activation=keras.activations.relu,
        kernel_initializer=keras.initializers.TruncatedNormal(stddev=0.02),
        kernel_regularizer="l2",
    )
    other = layers.TransformerBlock.from_config(block.get_config())
    other(X)
    assert other.mlp.activation is keras.activations.relu
    assert len(other.losses) == 4
    assert float(keras.ops.std(other.attention.qkv.kernel)) < 0.03


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"heads": 3}, r"TransformerBlock\(\) does not accept 'heads'; did you mean 'num_heads'"),
        ({"num_heads": "2"}, r"num_heads to be int, received '2' \(str\)"),
        ({"num_heads": 3, "rotary": True}, r"rotary to be Mapping or none, received True"),
        ({"num_heads": 3, "layer_scale": float("nan")}, "layer_scale from .* received nan"),
    ],
)
def test_wrong_options_are_refused_by_name(options, message):
    with pytest.raises(ValueError, match=message):
        layers.TransformerBlock(mlp_dim=20, **options)
