import numpy as np
import pytest

from keras_vit import InputError
from keras_vit.models import mlp


def test_the_network_of_784_1024_10_has_the_parameters_of_its_name():
    shapes = {weight.path: tuple(weight.shape) for weight in mlp(activation="tanh").weights}
    assert shapes == {
        "mlp/dense_0/kernel": (784, 1024),
        "mlp/dense_0/bias": (1024,),
        "mlp/head/kernel": (1024, 10),
        "mlp/head/bias": (10,),
    }


def test_an_int_is_the_size_of_the_only_hidden_layer():
    one, same = mlp(hidden_dims=7, seed=1), mlp(hidden_dims=(7,), seed=1)
    for a, b in zip(one.get_weights(), same.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_the_activation_is_that_of_the_hidden_layers_alone(activation):
    model = mlp(hidden_dims=(6, 5), activation=activation)
    names = [getattr(layer, "activation", None) for layer in model.layers]
    assert [f.__name__ for f in names if f] == [activation, activation, "linear"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"hidden_dims": (8, 0)}, r"hidden_dims\[1\] from 1 to 65,536, received 0"),
        ({"activation": "than"}, "than"),
        ({"image_size": (28, -1)}, r"image_size\[1\] from 1 to 8,192, received -1"),
        ({"dropout_rate": -0.1}, "dropout_rate from 0 to 1, received -0.1"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(arguments, message):
    with pytest.raises(InputError, match=message) as caught:
        mlp(**arguments)
    assert "\n" not in str(caught.value)
