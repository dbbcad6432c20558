import keras
import numpy as np
from scipy.special import ndtr

from keras_vit.layers._gelu import gelu

X = np.linspace(-8, 8, 1001).astype("float32")


def gradient_of_sum(function, x):
    """The gradient under any backend: one step of descent on a layer's weight."""

    class Sum(keras.layers.Layer):
        def build(self, _):
            self.x = self.add_weight(shape=x.shape, initializer="zeros", name="x")

        def call(self, ones):
            return ones * keras.ops.sum(function(keras.ops.convert_to_tensor(self.x)))

    model = keras.Sequential([keras.Input((1,)), Sum()])
    model.layers[0].x.assign(x)
    model.compile(keras.optimizers.SGD(1.0), loss=lambda true, predicted: keras.ops.sum(predicted))
    model.train_on_batch(np.ones((1, 1)), np.ones((1, 1)))
    return x - keras.ops.convert_to_numpy(model.layers[0].x)


def test_values_are_x_times_the_normal_distribution():
    exact = X.astype("float64") * ndtr(X.astype("float64"))
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(gelu(keras.ops.convert_to_tensor(X))), exact, atol=1e-6
    )


def test_the_gradient_is_the_derivative():
    x = X.astype("float64")
    exact = ndtr(x) + x * np.exp(-0.5 * x**2) / np.sqrt(2 * np.pi)
    np.testing.assert_allclose(gradient_of_sum(gelu, X), exact, atol=2e-6)
