import keras
import numpy as np
import pytest

from keras_vit import ConditionError
from training.callbacks import FiniteCheck


def trained_with(weight_value):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="last")])
    model.compile(keras.optimizers.SGD(0.0), "mse")
    model.layers[0].bias.assign(np.array([0.0, weight_value]))
    model.fit(np.ones((8, 3)), np.ones((8, 2)), batch_size=4, verbose=0, callbacks=[FiniteCheck()])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_ruined_weight_stops_the_training(value):
    with pytest.raises(ConditionError, match="epoch 1"):
        trained_with(value)


def test_a_weight_is_found_where_the_loss_does_not_tell():
    check = FiniteCheck()
    check.set_model(keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="last")]))
    check.model.layers[0].kernel.assign(np.full((3, 2), np.nan))
    with pytest.raises(ConditionError, match="last/kernel"):
        check.on_epoch_end(0, {"loss": 0.0})


def test_good_numbers_pass():
    trained_with(1.0)
