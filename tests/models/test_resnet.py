from math import prod

import keras
import numpy as np
import pytest

from keras_vit import InputError
from keras_vit.models import resnet


# Trained numbers. 20, 32, 56: table 6 of the paper has 0.27M, 0.46M and 0.85M; exact with option A, which has
# none in its shortcuts. 18, 50: as torchvision publishes them. 18 for small images: the common CIFAR form.
@pytest.mark.parametrize(
    ("arguments", "parameters"),
    [
        ({"variant": "20", "num_classes": 10}, 269_722),
        ({"variant": "32", "num_classes": 10}, 464_154),
        ({"variant": "56", "num_classes": 10}, 853_018),
        ({"variant": "18", "num_classes": 1000}, 11_689_512),
        ({"variant": "50", "num_classes": 1000}, 25_557_032),
        ({"variant": "18", "num_classes": 10, "stem": "3x3", "image_size": 32}, 11_173_962),
    ],
)
def test_parameter_counts_are_the_published_ones(arguments, parameters):
    assert sum(prod(weight.shape) for weight in resnet(**arguments).trainable_variables) == parameters


@pytest.mark.parametrize("variant", ["20", "18", "50"])
def test_a_variants_name_is_its_number_of_layers_with_weights(variant):
    layers = resnet(variant).layers
    weighted = [x for x in layers if isinstance(x, keras.layers.Conv2D | keras.layers.Dense)]
    assert sum("shortcut" not in layer.name for layer in weighted) == int(variant)


def test_each_stage_halves_the_image_and_doubles_the_filters():
    small, large = resnet("20"), resnet("50")
    assert [small.get_layer(f"add_{stage}_2").output.shape[1:] for stage in range(3)] == [
        (32, 32, 16),
        (16, 16, 32),
        (8, 8, 64),
    ]
    assert [large.get_layer(f"add_{stage}_0").output.shape[1:] for stage in range(4)] == [
        (56, 56, 256),
        (28, 28, 512),
        (14, 14, 1024),
        (7, 7, 2048),
    ]


def test_the_shortcut_without_weights_takes_every_other_pixel_and_adds_zeros():
    model = resnet("20", image_size=8, seed=0)
    shortcut = keras.Model(
        model.get_layer("activation_0_2").output, model.get_layer("pad_1_0_shortcut").output
    )
    x = np.random.default_rng(0).normal(size=(2, 8, 8, 16)).astype("float32")
    y = keras.ops.convert_to_numpy(shortcut(x))
    np.testing.assert_array_equal(y[..., :16], x[:, ::2, ::2])
    np.testing.assert_array_equal(y[..., 16:], np.zeros((2, 4, 4, 16)))


def test_a_block_whose_convolutions_are_zero_is_its_shortcut():
    model = resnet("20", image_size=8, seed=0)
    model.get_layer("norm_0_1_b").gamma.assign(np.zeros(16))
    block = keras.Model(model.get_layer("activation_0_0").output, model.get_layer("activation_0_1").output)
    x = np.random.default_rng(0).random((2, 8, 8, 16)).astype("float32")
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(block(x, training=False)), x)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"variant": "19"}, "Unknown ResNet variant '19'. Expected one of 20, 32, 56, 18, 50"),
        ({"variant": "18", "stem": "conv"}, "3x3, 7x7, received 'conv'"),
        ({"image_size": -4}, "image_size from 1 to 8,192, received -4"),
        ({"num_classes": 0}, "num_classes of at least 1, received 0"),
        ({"dropout_rate": 2}, "dropout_rate from 0 to 1, received 2"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(arguments, message):
    with pytest.raises(InputError, match=message) as caught:
        resnet(**arguments)
    assert "\n" not in str(caught.value)
