import keras
import pytest

from keras_vit.bounded_building import _size, bounded_building
from keras_vit.errors import InputError


def bounded(max_numbers=0):
    return bounded_building("The model", max_numbers, "there are")


def test_as_many_weights_as_there_are_numbers_are_built():
    with bounded(8):
        assert keras.layers.Dense(2)(keras.Input((3,))).shape == (None, 2)


def test_one_weight_more_is_refused_before_it_is_made():
    with (
        pytest.raises(
            InputError, match=r"The model is too large: .*\(3, 10{12}\).* 8 numbers that there are"
        ),
        bounded(8),
    ):
        keras.layers.Dense(10**12)(keras.Input((3,)))


def test_huge_outputs_are_refused():
    with pytest.raises(InputError, match="its layer .* has outputs of shape"), bounded():
        keras.layers.UpSampling2D(10**5)(keras.Input((8, 8, 1)))


def test_symbols_for_open_lengths_as_jax_has_them_count_as_one():
    jax_export = pytest.importorskip("jax.export")
    assert _size(jax_export.symbolic_shape("batch, 8, 3")) == _size((None, 8, 3)) == 24


def test_too_many_layers_are_refused(monkeypatch):
    monkeypatch.setattr("keras_vit.bounded_building.MAX_LAYERS", 9)
    with pytest.raises(InputError, match="more than 9 layers"), bounded():
        for _ in range(10):
            keras.layers.Activation("relu")


def test_building_is_unbounded_again_after_a_refusal():
    names = ("add_weight", "__init__", "__call__")
    before = [getattr(keras.layers.Layer, name) for name in names]
    with pytest.raises(InputError), bounded():
        keras.layers.Dense(2)(keras.Input((3,)))
    assert before == [getattr(keras.layers.Layer, name) for name in names]
