import keras
import numpy as np
import pytest

from keras_vit import InputError
from keras_vit.export.images.inference_model import inference_model

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
    shipped = inference_model(model)
    assert keras.config.dtype_policy().name == "mixed_bfloat16"
    assert {layer.compute_dtype for layer in all_layers(model)} >= {"bfloat16"}
    assert {layer.compute_dtype for layer in all_layers(shipped)} == {"float32"}
    for one, other in zip(model.get_weights(), shipped.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    images = np.random.default_rng(0).integers(0, 256, (5, 6, 6, 1)).astype("float32")
    probabilities = shipped.predict(images, verbose=0)
    assert probabilities.dtype == np.float32
    # The float32 sum of 3 rounded numbers; a softmax in bfloat16 misses it by 4e-3.
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)


def test_the_model_that_was_given_is_left_as_it_was():
    model = nested()
    before = model.get_weights()
    shipped = inference_model(model)
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


class Subclassed(keras.Model):
    def call(self, x):
        return x


def test_a_model_within_the_model_may_end_in_logits():
    assert inference_model(within(layers.Dense(3))).output_shape == (None, 3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (Subclassed, "functional or Sequential"),
        (lambda: keras.Sequential([layers.Flatten(), layers.Dense(3)]), "functional or Sequential"),
        (lambda: of(layers.Flatten(), layers.Dense(3, activation="softmax")), "ends in softmax"),
        (lambda: of(layers.Flatten(), layers.Dense(3), layers.Softmax()), "ends in softmax"),
        (lambda: within(layers.Dense(3), layers.Activation("softmax")), "ends in softmax"),
        (by_an_operation, "ends in softmax"),
        (lambda: of(layers.Flatten(), layers.Dense(1)), r"received \(None, 1\)"),
        (lambda: of(layers.Conv2D(3, 1)), "one output"),
        (
            lambda: of(layers.Lambda(lambda x: 2 * x), layers.Flatten(), layers.Dense(3)),
            r"\(Lambda\) cannot be",
        ),
        (lambda: of(layers.Dense(3), shape=(6,)), "one image input"),
        (lambda: of(layers.GlobalAveragePooling2D(), shape=(None, None, 3)), "fixed size"),
    ],
)
def test_a_model_that_is_not_an_image_classifier_with_logits_is_refused(make, message):
    with pytest.raises(InputError, match=message):
        inference_model(make())


@pytest.mark.parametrize("mode", ["int8", "int4"])
def test_a_model_that_keras_quantized_is_refused(mode):
    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(3)])
    model.layers[1].quantize(mode)
    with pytest.raises(InputError, match="before it is quantized"):
        inference_model(model)
