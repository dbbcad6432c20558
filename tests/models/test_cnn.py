import keras
import numpy as np
import pytest

from keras_vit import InputError
from keras_vit.models import cnn


def counts(model):
    """Numbers in each layer's trained weights: `{layer: {weight: count}}`."""
    return {
        layer.name: {weight.name: int(np.prod(weight.shape)) for weight in layer.trainable_weights}
        for layer in model.layers
        if layer.trainable_weights
    }


# By hand: height * width * inputs * filters, and a bias for each filter or unit. The dense layer sees
# 4 * 4 * 64 = 1,024 numbers of an image of 32 pixels, halved three times. The report gives that layer
# 1,025,024, that is 1,024 biases, where 1,000 units have 1,000.
def test_the_5x5_network_has_the_parameters_of_its_table():
    assert counts(cnn("5x5")) == {
        "conv_0_0": {"kernel": 5 * 5 * 3 * 32, "bias": 32},
        "conv_1_0": {"kernel": 5 * 5 * 32 * 64, "bias": 64},
        "conv_2_0": {"kernel": 5 * 5 * 64 * 64, "bias": 64},
        "dense": {"kernel": 1024 * 1000, "bias": 1000},
        "head": {"kernel": 1000 * 10, "bias": 10},
    }
    assert [5 * 5 * 3 * 32, 5 * 5 * 32 * 64, 5 * 5 * 64 * 64] == [2_400, 51_200, 102_400]


def test_two_blocks_of_3x3_convolutions_have_the_parameters_of_their_table():
    assert counts(cnn("3x3")) == {
        "conv_0_0": {"kernel": 864, "bias": 32},
        "conv_0_1": {"kernel": 9_216, "bias": 32},
        "conv_1_0": {"kernel": 18_432, "bias": 64},
        "conv_1_1": {"kernel": 36_864, "bias": 64},
        "dense": {"kernel": 8 * 8 * 64 * 512, "bias": 512},
        "head": {"kernel": 5_120, "bias": 10},
    }
    assert cnn("3x3").count_params() == 2_168_362


def test_batch_normalisation_takes_the_place_of_each_bias_but_the_heads():
    plain, normalised = counts(cnn()), counts(cnn(batch_norm=True))
    for name, weights in plain.items():
        if name == "head":
            assert normalised[name] == weights
        else:
            assert normalised[name] == {"kernel": weights["kernel"]}
            assert normalised[f"norm_{name}"] == {"gamma": weights["bias"], "beta": weights["bias"]}


@pytest.mark.parametrize("variant", ["3x3", "5x5"])
def test_batch_normalisation_comes_before_each_activation(variant):
    layers = cnn(variant, batch_norm=True).layers
    kinds = [type(layer).__name__ for layer in layers]
    places = [index for index, kind in enumerate(kinds) if kind == "Activation"]
    assert len(places) == {"3x3": 5, "5x5": 4}[variant]
    for place in places:
        assert kinds[place - 1] == "BatchNormalization"
        assert kinds[place - 2] in ("Conv2D", "Dense")
    assert kinds.count("BatchNormalization") == len(places)


def test_a_block_pools_and_drops_out_after_its_convolutions():
    names = [layer.name for layer in cnn().layers]
    assert names == [
        "scaling",
        *("conv_0_0", "activation_conv_0_0", "conv_0_1", "activation_conv_0_1", "pooling_0", "dropout_0"),
        *("conv_1_0", "activation_conv_1_0", "conv_1_1", "activation_conv_1_1", "pooling_1", "dropout_1"),
        *("flatten", "dense", "activation_dense", "dropout", "head"),
    ]


def rates(model):
    return [layer.rate for layer in model.layers if isinstance(layer, keras.layers.Dropout)]


def test_dropout_rates_are_the_variants_until_they_are_given():
    assert rates(cnn()) == [0.25, 0.25, 0.5]
    assert rates(cnn("5x5")) == [0, 0, 0, 0]
    assert rates(cnn(conv_dropout_rate=0.0, dropout_rate=1.0)) == [0, 0, 1]


def test_pixels_are_standardised_by_channel_inside_the_model():
    mean, std = (0.5, 0.4, 0.3), (0.2, 0.25, 0.5)
    model = cnn(pixel_mean=mean, pixel_std=std)
    images = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3))
    seen = keras.ops.convert_to_numpy(model.get_layer("scaling")(images.astype("float32")))
    np.testing.assert_allclose(seen, (images / 255 - mean) / std, atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"variant": "7x7"}, "Unknown CNN variant '7x7'. Expected one of 3x3, 5x5"),
        ({"variant": "5x5", "image_size": (7, 32)}, "at least 8 pixels, which are halved 3 times"),
        ({"image_size": 0}, "image_size from 1 to 8,192, received 0"),
        ({"channels": 0}, "Expected channels"),
        ({"num_classes": 0}, "num_classes of at least 1, received 0"),
        ({"dropout_rate": 1.5}, "dropout_rate from 0 to 1, received 1.5"),
        ({"activation": "rellu"}, "rellu"),
        ({"pixel_std": 0.0}, "Expected pixel_std above 0"),
        ({"pixel_std": (1, 2), "channels": 1}, "pixel_std to be one number or 1, .*received 2"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(arguments, message):
    with pytest.raises(InputError, match=message) as caught:
        cnn(**arguments)
    assert "\n" not in str(caught.value)
