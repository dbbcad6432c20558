import keras
import numpy as np
import pytest

from keras_vit.layers import DropPath, TransformerEncoder


def test_whole_samples_are_dropped_at_the_rate_and_the_mean_is_kept():
    y = keras.ops.convert_to_numpy(DropPath(0.3, seed=0)(np.ones((4000, 2, 3), "float32"), training=True))
    assert (np.ptp(y.reshape(4000, -1), axis=1) == 0).all()
    assert set(np.unique(y.round(5))) == {0, np.float32(1 / 0.7).round(5)}
    # The share of 4,000 draws has a standard deviation of 0.007; four of them.
    assert abs((y[:, 0, 0] == 0).mean() - 0.3) < 0.029


def test_outside_training_and_at_rate_zero_nothing_is_dropped():
    x = np.ones((8, 2), "float32")
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(DropPath(0.9)(x)), x)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(DropPath(0.0)(x, training=True)), x)


def test_the_encoders_rate_rises_linearly_over_its_blocks():
    encoder = TransformerEncoder(5, 2, 8, drop_path_rate=0.4)
    encoder.build((None, 3, 4))
    np.testing.assert_allclose([b.drop_path_rate for b in encoder.blocks], [0, 0.1, 0.2, 0.3, 0.4])


@pytest.mark.parametrize("rate", [-0.1, 1, 1.5])
def test_a_rate_that_is_no_probability_below_one_is_refused(rate):
    with pytest.raises(ValueError, match="below 1"):
        DropPath(rate)


@pytest.mark.parametrize("num_layers", [1, 2])
def test_an_encoder_refuses_a_rate_that_drops_all(num_layers):
    with pytest.raises(ValueError, match="drop_path_rate .*below 1, received 1"):
        TransformerEncoder(num_layers, 2, 8, drop_path_rate=1.0)
