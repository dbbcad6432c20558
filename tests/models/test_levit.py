from math import prod

import keras
import numpy as np
import pytest

from keras_vit import InputError
from keras_vit.layers import GridAttention
from keras_vit.layers.grid_attention import grid_distances
from keras_vit.models import levit


# As timm counts its `levit_*`, which have two heads; table 2 of the paper has 7.8M, 9.2M, 10.9M ...
@pytest.mark.parametrize(
    ("variant", "parameters"),
    [
        ("128S", 7_777_058),
        pytest.param("128", 9_213_936, marks=pytest.mark.slow),
        pytest.param("192", 10_947_069, marks=pytest.mark.slow),
        pytest.param("256", 18_893_876, marks=pytest.mark.slow),
        pytest.param("384", 39_128_836, marks=pytest.mark.slow),
    ],
)
def test_parameter_counts_are_the_published_ones(variant, parameters):
    model = levit(variant, distillation_head=True)
    assert sum(prod(weight.shape) for weight in model.trainable_variables) == parameters


def test_each_stage_after_the_first_halves_the_grid():
    shapes = [layer.output.shape[1:] for layer in levit("128S").layers if isinstance(layer, GridAttention)]
    assert shapes == [(14, 14, 128)] * 2 + [(7, 7, 256)] * 4 + [(4, 4, 384)] * 5


def test_a_bias_belongs_to_a_distance_in_any_direction():
    distances = grid_distances(2, 3)
    assert distances.shape == (6, 6)
    assert distances[0].tolist() == [0, 1, 2, 3, 4, 5]
    assert distances[5].tolist() == [5, 4, 3, 2, 1, 0]
    assert distances[1].tolist() == [1, 0, 1, 4, 3, 4]
    np.testing.assert_array_equal(grid_distances(3, 4, 2), grid_distances(3, 4)[[0, 2, 8, 10]])


def test_residual_branches_start_as_zero():
    model = levit("Pico", num_classes=3, seed=0)
    x = np.random.default_rng(0).random((2, 16, 16, 3)) * 255
    before, after = (model.get_layer(name).output for name in ("norm_stem_2", "add_0_0_mlp"))
    before, after = keras.Model(model.inputs[0], [before, after])(x, training=False)
    np.testing.assert_array_equal(np.asarray(before), np.asarray(after))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"variant": "64"}, "Unknown LeViT variant '64'. Expected one of 128S, 128, 192, 256, 384, Milli"),
        ({"variant": "128S", "image_size": 32}, r"more than 32 pixels, which are halved 6 times; received"),
        ({"variant": "Nano", "image_size": (32, 4)}, r"more than 4 pixels, which are halved 3 times"),
        ({"drop_path_rate": 1}, "drop_path_rate from 0 to below 1, received 1"),
        ({"mlp_ratio": 0}, "mlp_ratio from 0.1 to 16, received 0"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(arguments, message):
    with pytest.raises(InputError, match=message):
        levit(**arguments)
