import keras
import numpy as np
import pytest

from keras_vit.pretrained.blank import blank_weights, draw, fill


def dense():
    layer = keras.layers.Dense(2)
    layer.build((None, 3))
    return layer


def test_weights_are_blank_until_they_are_filled_or_drawn():
    with blank_weights():
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    kernel, bias = model.weights
    assert kernel._value is None and bias._value is None
    fill(kernel, np.full((3, 2), 5.0))
    draw(model)
    np.testing.assert_array_equal(model.predict(np.ones((1, 3)), verbose=0), [[15.0, 15.0]])


@pytest.mark.parametrize("failed", [False, True])
def test_keras_does_not_draw_them_when_it_next_traces_a_layer(failed):
    try:
        with blank_weights():
            layer = dense()
            if failed:
                raise KeyError
    except KeyError:
        pass
    fill(layer.kernel, np.ones((3, 2)))
    with keras.StatelessScope():
        other = dense()
    np.testing.assert_array_equal(layer.kernel, np.ones((3, 2)))
    assert layer.bias._value is None and other.bias._value is not None
