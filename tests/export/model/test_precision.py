import keras
import numpy as np
import pytest
from image_functions import function_of

from keras_vit import InputError
from keras_vit.errors import Notice
from keras_vit.export import export_model, load_predictor
from keras_vit.export.model.precision import computing_in_float32, in_float32

layers = keras.layers


@keras.saving.register_keras_serializable(package="tests")
class Careless(layers.Layer):
    """Does not hand its policy to its child, as users' layers forget to."""

    def build(self, shape):
        self.dense = layers.Dense(4)
        self.dense.build(shape)

    def call(self, x):
        return self.dense(x)


def nested():
    inner = keras.Sequential([keras.Input((6, 6, 1)), layers.Conv2D(4, 3), layers.GlobalAveragePooling2D()])
    x = keras.Input((6, 6, 1))
    return keras.Model(x, layers.Dense(3)(Careless()(inner(x))))


@pytest.fixture
def low_precision():
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    yield
    keras.config.set_dtype_policy(policy)


def all_layers(model):
    return [layer for layer in model._flatten_layers() if not isinstance(layer, layers.InputLayer)]


def test_every_layer_within_layers_computes_in_float32_with_the_same_weights(low_precision):
    model = nested()
    shipped = in_float32(model)
    assert keras.config.dtype_policy().name == "mixed_bfloat16"
    assert {layer.compute_dtype for layer in all_layers(model)} >= {"bfloat16"}
    assert {layer.compute_dtype for layer in all_layers(shipped)} == {"float32"}
    for one, other in zip(model.get_weights(), shipped.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    images = np.random.default_rng(0).integers(0, 256, (5, 6, 6, 1)).astype("float32")
    logits = shipped.predict(images, verbose=0)
    assert logits.dtype == np.float32
    # bfloat16 has 8 bits: a logit differs by some of its roundings, and is never the same number.
    difference = np.abs(logits - model.predict(images, verbose=0).astype("float32"))
    assert 0 < difference.max() < 0.05 * np.abs(logits).max()


def test_a_model_in_float32_is_itself():
    model = nested()
    assert in_float32(model) is model


def test_the_model_that_was_given_is_left_as_it_was(low_precision):
    model = nested()
    before = model.get_weights()
    shipped = in_float32(model)
    shipped.set_weights([0 * weight for weight in before])
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def within(*stack):
    """A model whose last layer is a model."""
    x = keras.Input((6, 6, 1))
    return keras.Model(x, keras.Sequential([keras.Input((36,)), *stack])(layers.Flatten()(x)))


def by_an_operation():
    x = keras.Input((6, 6, 1))
    return keras.Model(x, keras.ops.softmax(layers.Dense(3)(layers.Flatten()(x))))


def of(*stack, shape=(6, 6, 1)):
    return keras.Sequential([keras.Input(shape), *stack])


def test_a_model_within_the_model_may_end_in_logits():
    (output,) = function_of(within(layers.Dense(3))).outputs
    assert output.shape == (3,)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: of(layers.Flatten(), layers.Dense(3, activation="softmax")), "ends in softmax"),
        (lambda: of(layers.Flatten(), layers.Dense(3), layers.Softmax()), "ends in softmax"),
        (lambda: within(layers.Dense(3), layers.Activation("softmax")), "ends in softmax"),
        (by_an_operation, "ends in softmax"),
    ],
)
def test_softmax_is_not_added_behind_softmax(make, message):
    with pytest.raises(InputError, match=message):
        function_of(make())


def quantized_model(mode):
    x = keras.Input((6,), dtype="int32")
    y = layers.Embedding(20, 8)(x)
    y = layers.Dense(5, "relu")(y + layers.MultiHeadAttention(2, 4)(y, y))
    model = keras.Model(x, layers.Dense(3)(y))
    model.quantize(mode)
    return model


def test_the_quantization_to_int8_is_undone_and_said():
    model = quantized_model("int8")
    tokens = np.arange(12).reshape(2, 6).astype("int32")
    expected = keras.ops.convert_to_numpy(model(tokens))
    with pytest.warns(Notice, match="model.quantize is undone in the files"):
        plain = in_float32(model)
    assert {weight.dtype for weight in plain.weights} == {"float32"}
    # The model rounds the inputs of each product to 1/127 of the largest, the copy does not.
    difference = np.abs(keras.ops.convert_to_numpy(plain(tokens)) - expected)
    assert difference.max() < 0.02 * np.abs(expected).max()


def test_another_quantization_is_kept():
    model = quantized_model("int4")
    assert in_float32(model) is model


def test_a_quantized_subclass_is_refused():
    model = Pair(8)
    model(np.zeros((1, 5), "float32"))
    model.quantize("int8")
    with pytest.raises(InputError, match="before it is quantized"), computing_in_float32(model):
        pass


def test_a_layer_that_cannot_be_built_again_is_named(low_precision):
    with pytest.raises(InputError, match=r"\(Lambda\) cannot be built again"):
        in_float32(of(layers.Lambda(lambda x: 2 * x), layers.Flatten(), layers.Dense(3)))


@keras.saving.register_keras_serializable(package="tests")
class Forgetful(layers.Layer):
    """Its configuration lacks its argument."""

    def __init__(self, factor=1.0, **options):
        super().__init__(**options)
        self.factor = factor

    def call(self, x):
        return self.factor * x

    def get_config(self):
        return super().get_config() | {"factor": 1.0}


@keras.saving.register_keras_serializable(package="tests")
class Nameless(layers.Layer):
    """Its configuration has no name."""

    def __init__(self, factor=1.0):
        super().__init__()
        self.factor = factor

    def call(self, x):
        return self.factor * x

    def get_config(self):
        return {"factor": self.factor}


def test_a_copy_keeps_the_names_of_the_model(low_precision, tmp_path):
    model = of(layers.Flatten(), layers.Dense(3), Nameless(2.0))
    images = np.random.default_rng(0).integers(0, 256, (9, 6, 6, 1)).astype("uint8")
    export_model(model, tmp_path / "new", inputs=images, variants="savedmodel")
    (output,) = load_predictor(tmp_path / "new" / "saved_model").description.outputs
    assert output.name == model.layers[-1].name


def test_a_copy_that_computes_something_else_is_noticed(low_precision, tmp_path):
    model = of(layers.Flatten(), layers.Dense(3), Forgetful(factor=2.0))
    images = np.random.default_rng(0).integers(0, 256, (9, 6, 6, 1)).astype("uint8")
    with pytest.raises(InputError, match="built again in float32, and then its 'forgetful' differs"):
        export_model(model, tmp_path / "x", inputs=images, variants="fp32")
    assert not (tmp_path / "x").exists()


def test_a_graph_with_a_layer_that_cannot_be_built_again_computes_in_float32_too(low_precision):
    model = of(layers.Lambda(lambda x: x / 255), layers.Flatten(), layers.Dense(3))
    images = np.random.default_rng(0).integers(0, 256, (9, 6, 6, 1)).astype("float32")
    kernel = keras.ops.convert_to_numpy(model.layers[-1].kernel)
    with computing_in_float32(model) as full:
        found = full.predict(images, verbose=0)
    np.testing.assert_allclose(found, images.reshape(9, 36) / 255 @ kernel, rtol=1e-5, atol=1e-6)
    assert model(images).dtype == "bfloat16"


class Pair(keras.Model):
    """A subclass without a configuration."""

    def __init__(self, width):
        super().__init__()
        self.first, self.second = layers.Dense(width, activation="relu"), layers.Dense(2)

    def call(self, x):
        return self.second(self.first(x))


def test_a_subclass_computes_in_float32_inside_the_block_and_as_before_after_it(low_precision):
    model = Pair(8)
    x = np.random.default_rng(0).normal(size=(4, 5)).astype("float32")
    before = keras.ops.convert_to_numpy(keras.ops.cast(model(x), "float32"))
    with computing_in_float32(model) as full:
        inside = full(x)
        assert inside.dtype == "float32"
    first, second = (keras.ops.convert_to_numpy(v) for v in (model.first.kernel, model.second.kernel))
    np.testing.assert_allclose(inside, np.maximum(x @ first, 0) @ second, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(keras.ops.cast(model(x), "float32"), before)
