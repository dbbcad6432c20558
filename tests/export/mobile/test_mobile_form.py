"""The mobile form is the model's own function, to float32 rounding."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from every_model import OTHER_MODELS, VIT_OPTIONS, name_of, other_model, perturb, trained_looking, vit_with

from keras_vit.errors import Notice
from keras_vit.export.mobile import mobile_form, registry
from keras_vit.export.mobile.registry import handler
from keras_vit.layers import (
    MLP,
    GridAttention,
    PatchEmbedding,
    ReparametrizedDepthwise,
    SelfAttention,
    TokenPooling,
    TransformerBlock,
    TransformerEncoder,
)
from keras_vit.models import vit

layers = keras.layers

# Float32 roundings of 6e-8 in each of some hundred sums, relative to the largest logit; normalisations and
# attention of few channels amplify them. Seen: up to 5e-6 with AVX2, 1.3e-5 with AVX-512. The smallest
# fault, a forgotten bias of 0.2, moves a logit by 1e-2.
TOLERANCE = 1e-4


def difference(model, batch_size=1):
    """The largest difference of a logit, relative to the largest logit; traced as for a file."""
    images = np.random.default_rng(1).integers(0, 256, (batch_size, *model.input_shape[1:])).astype("float32")
    expected = model(images, training=False).numpy()
    answer = traced(model, batch_size)(tf.constant(images)).numpy()
    return np.abs(answer - expected).max() / np.abs(expected).max()


def traced(model, batch_size=1):
    return tf.function(mobile_form(model)).get_concrete_function(
        tf.TensorSpec((batch_size, *model.input_shape[1:]))
    )


def check_for_gpus(model):
    """No tensor has more than four axes, and there is no operator that GPU delegates refuse or mistake."""
    for operation in traced(model).graph.get_operations():
        assert all(len(output.shape) <= 4 for output in operation.outputs), operation
        assert operation.type not in ("Split", "SplitV", "BroadcastTo", "SelectV2", "GatherV2", "Unpack"), (
            operation
        )


def small_vit(**options):
    return trained_looking(vit("Pico/4", num_layers=2, image_size=(8, 16), num_classes=10, **options))


@pytest.mark.parametrize("options", VIT_OPTIONS, ids=name_of)
def test_every_option_of_vit_keeps_its_function(options):
    model = vit_with(options)
    assert difference(model) < TOLERANCE
    check_for_gpus(model)
    assert mobile_form(model).unconverted == ()


@keras.saving.register_keras_serializable("tests")
def squared_relu(x):
    return keras.ops.square(keras.ops.relu(x))


@pytest.mark.parametrize("activation", [keras.activations.get("relu"), keras.activations.mish, squared_relu])
@pytest.mark.parametrize("pooling", ["gap", "map"])
def test_a_function_as_activation_keeps_the_block_its_function(activation, pooling):
    model = small_vit(activation=activation, pooling=pooling)
    assert difference(model) < TOLERANCE
    assert mobile_form(model).unconverted == ()


@pytest.mark.parametrize("pooling", ["token", "gap", "map"])
def test_more_than_one_image_at_once(pooling):
    assert difference(small_vit(pooling=pooling, num_registers=1), batch_size=3) < TOLERANCE


def test_a_model_for_another_image_size_keeps_its_function():
    from keras_vit.models import with_image_size

    assert difference(with_image_size(small_vit(), (16, 12))) < TOLERANCE


def test_a_model_of_mixed_precision_is_converted_to_float32():
    mixed = trained_looking(vit("Pico/4", num_layers=1, num_classes=10, dtype="mixed_bfloat16"))
    full = vit("Pico/4", num_layers=1, num_classes=10)
    full.set_weights(mixed.get_weights())
    image = np.random.default_rng(0).integers(0, 256, (1, 8, 8, 3)).astype("float32")
    np.testing.assert_allclose(mobile_form(mixed)(image), full(image, training=False), rtol=1e-4, atol=1e-4)


def cnn(*stack, size=(9, 11, 3)):
    return trained_looking(keras.Sequential([keras.Input(size), *stack]))


def branched():
    x = keras.Input((8, 8, 3))
    y = layers.BatchNormalization()(layers.Conv2D(6, 3, padding="same", use_bias=False)(x / 255))
    z = layers.Conv2D(6, 1, activation="relu")(layers.BatchNormalization()(y))
    y = layers.ReLU()(layers.Add()([y, z]))  # y is read twice: as it is, and through a normalisation
    y = layers.BatchNormalization()(y)
    y = layers.Concatenate()([layers.MaxPooling2D()(y), layers.AveragePooling2D(2)(layers.ReLU()(y))])
    return trained_looking(keras.Model(x, layers.Dense(4)(layers.GlobalAveragePooling2D()(y))))


CNNS = {
    "convolution before normalisation": lambda: cnn(
        layers.Rescaling(1 / 127.5, offset=-1.0),
        layers.Conv2D(5, 3, padding="same", use_bias=False),
        layers.BatchNormalization(),
        layers.ReLU(),
        layers.Flatten(),
        layers.Dense(4),
    ),
    "normalisation before convolution": lambda: cnn(
        layers.Rescaling([1 / 50, 1 / 60, 1 / 70], offset=[-1.0, -2.0, -1.5]),
        layers.Conv2D(5, 3, strides=2),
        layers.ReLU(),
        layers.BatchNormalization(center=False, scale=False),
        layers.Conv2D(6, 3, padding="same", dilation_rate=2),
        layers.GlobalAveragePooling2D(),
        layers.BatchNormalization(),
        layers.Dense(4, use_bias=False),
    ),
    "depthwise": lambda: cnn(
        layers.Rescaling(1 / 255),
        layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same", strides=2),
        layers.BatchNormalization(),
        layers.Activation("hard_swish"),
        layers.BatchNormalization(),
        layers.DepthwiseConv2D(3),
        layers.BatchNormalization(),
        layers.Conv2D(4, 1, activation="relu6"),
        layers.Dropout(0.5),
        layers.GlobalMaxPooling2D(),
        layers.Dense(4, activation="tanh"),
        layers.Dense(3),
    ),
    "every second pixel": lambda: cnn(  # of an odd height and width
        layers.Conv2D(4, 3, padding="same"),
        layers.MaxPooling2D(1, 2),
        layers.AveragePooling2D(1, (2, 3), padding="same"),
        layers.Flatten(),
        layers.Dense(3),
    ),
    "nested": lambda: cnn(
        keras.Sequential([layers.Conv2D(4, 3), layers.BatchNormalization()]),
        keras.Sequential([layers.BatchNormalization(), layers.Flatten(), layers.LayerNormalization()]),
        layers.Dense(3),
    ),
    "branched": branched,
}


@pytest.mark.parametrize("name", OTHER_MODELS)
def test_every_other_model_keeps_its_function(name):
    model = other_model(name)
    assert difference(model) < TOLERANCE
    check_for_gpus(model)
    assert mobile_form(model).unconverted == ()


def test_the_branches_of_a_convolution_are_one_operator():
    inputs = keras.Input((9, 11, 4))
    model = trained_looking(keras.Model(inputs, ReparametrizedDepthwise(5)(inputs)))
    assert difference(model) < TOLERANCE
    traced = tf.function(mobile_form(model)).get_concrete_function(tf.TensorSpec((1, 9, 11, 4)))
    kinds = [op.type for op in traced.graph.get_operations()]
    assert [kind for kind in kinds if kind not in ("Const", "Placeholder", "Identity", "NoOp")] == [
        "DepthwiseConv2dNative", "BiasAdd"
    ]  # fmt: skip


@pytest.mark.parametrize("activation", ["hard_swish", "relu", squared_relu])
def test_attention_on_a_grid_keeps_its_function(activation):
    inputs = keras.Input((7, 6, 8))
    x = keras.layers.Rescaling(1 / 255)(
        inputs
    )  # scores of whole pixels would turn rounding into another answer
    x = GridAttention(2, 4, 5, hidden_dim=12, strides=2, activation=activation)(x)
    model = trained_looking(keras.Model(inputs, GridAttention(3, 4)(x)))
    assert difference(model, batch_size=2) < TOLERANCE
    assert mobile_form(model).unconverted == ()


@pytest.mark.parametrize("name", CNNS)
def test_a_cnn_keeps_its_function(name):
    model = CNNS[name]()
    assert difference(model) < TOLERANCE
    shape = (1, *model.input_shape[1:])
    traced = tf.function(mobile_form(model)).get_concrete_function(tf.TensorSpec(shape))
    assert not traced.captured_inputs  # no layer was called as it is: all weights are constants


def test_normalisation_and_scaling_leave_no_operator_behind():
    model = CNNS["convolution before normalisation"]()
    model = keras.Sequential([keras.Input((9, 11, 3)), *model.layers[1:]])  # without Rescaling
    form = mobile_form(model)
    graph = tf.function(form).get_concrete_function(tf.TensorSpec((1, 9, 11, 3))).graph
    assert not {"Mul", "Add", "AddV2", "Sub"} & {operation.type for operation in graph.get_operations()}


def test_only_the_class_token_goes_through_the_last_mlp():
    form = mobile_form(vit("Pico/2", num_layers=3, num_classes=10))
    graph = tf.function(form).get_concrete_function(tf.TensorSpec((1, 8, 8, 3))).graph
    hidden = [
        op.outputs[0].shape[-2] for op in graph.get_operations() if op.name.endswith("expansion/MatMul")
    ]
    assert hidden == [17, 17, 1]


@keras.saving.register_keras_serializable(package="tests")
class Squared(layers.Layer):
    """A user's own layer."""

    def build(self, shape):
        self.factor = self.add_weight(shape=(shape[-1],), initializer="ones")

    def call(self, x):
        return self.factor * x * x


def test_an_unknown_layer_is_called_as_it_is_and_named():
    model = cnn(layers.Rescaling(1 / 255), Squared(name="mine"), layers.Flatten(), layers.Dense(3))
    assert difference(model) < TOLERANCE
    assert mobile_form(model).unconverted == ("mine (Squared)",)


def test_options_that_a_handler_does_not_know_leave_the_layer_as_it_is():
    model = cnn(
        layers.Conv2D(6, 3, groups=3),
        layers.LayerNormalization(axis=(1, 2)),
        layers.BatchNormalization(axis=1),
        layers.Flatten(),
        layers.Dense(3),
    )
    assert difference(model) < TOLERANCE


@pytest.mark.parametrize("part", [TransformerEncoder, TransformerBlock, SelfAttention, MLP])
def test_an_option_of_the_block_that_no_handler_knows_leaves_the_encoder_as_it_is(part, monkeypatch):
    model = small_vit()
    usual = part.get_config
    monkeypatch.setattr(part, "get_config", lambda layer: {**usual(layer), "new_option": False})
    assert handler(model.get_layer("encoder")) is not None
    monkeypatch.setattr(part, "get_config", lambda layer: {**usual(layer), "new_option": "on"})
    assert handler(model.get_layer("encoder")) is None
    with pytest.warns(Notice, match=r"slower on a phone: encoder \(TransformerEncoder\)"):
        assert difference(model) < TOLERANCE


def test_frozen_blocks_keep_the_form_that_runs_fastest():
    model = small_vit()
    model.get_layer("encoder").blocks[0].trainable = False
    assert mobile_form(model).unconverted == ()


def test_low_rank_weights_of_a_dense_layer_are_merged():
    model = cnn(layers.Flatten(), layers.Dense(8), layers.Dense(3))
    model.layers[1].enable_lora(2)
    perturb(model.weights)
    assert difference(model) < TOLERANCE
    form = mobile_form(model)
    assert form.unconverted == ()
    sizes = [layer.kernel.shape for layer in form.model.layers[1:]]
    assert [weight.shape for weight in form.variables] == [s for k in sizes for s in (k, k[1:])]


def test_a_mask_that_comes_with_tokens_reaches_the_layer_that_reads_it():
    tokens = keras.Input((5,), dtype="int32")
    x = layers.Dropout(0.1)(layers.Embedding(7, 4, mask_zero=True)(tokens))
    x = layers.GlobalAveragePooling1D()(layers.LayerNormalization()(x))
    model = trained_looking(keras.Model(tokens, layers.Dense(3)(x)))
    text = np.array([[3, 1, 6, 0, 0]])
    expected = model(text, training=False).numpy()
    answer = tf.function(mobile_form(model))(tf.constant(text)).numpy()
    np.testing.assert_allclose(answer, expected, rtol=1e-5, atol=1e-6)


def test_a_call_with_a_mask_leaves_the_layer_as_it_is():
    images = keras.Input((8, 16, 3))
    tokens = PatchEmbedding(8, 4)(layers.Rescaling(1 / 255)(images))
    seen = np.arange(8) < 3
    x = TransformerEncoder(2, num_heads=2, mlp_dim=8)(tokens, attention_mask=seen[None, None, None])
    model = trained_looking(keras.Model(images, layers.Dense(3)(TokenPooling("gap")(x))))
    assert difference(model) < TOLERANCE


def test_an_option_at_its_default_needs_no_entry_in_the_handler(monkeypatch):
    for kind in (TransformerEncoder, TransformerBlock):
        known = registry._KNOWN_OPTIONS[kind] - {"norm_first"}
        monkeypatch.setitem(registry._KNOWN_OPTIONS, kind, known)
    options = {"num_layers": 1, "num_classes": 2}
    assert mobile_form(vit("Pico/4", **options)).unconverted == ()
    with pytest.warns(Notice, match=r"slower on a phone: encoder \(TransformerEncoder\)"):
        post_norm = mobile_form(vit("Pico/4", norm_first=False, **options))
    assert post_norm.unconverted == ("encoder (TransformerEncoder)",)
