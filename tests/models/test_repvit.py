from math import prod

import numpy as np
import pytest

from keras_vit import InputError
from keras_vit.layers import ReparametrizedDepthwise
from keras_vit.models import repvit


# As timm counts its `repvit_m*`, which have two heads and all branches of training.
@pytest.mark.parametrize(
    ("variant", "parameters"),
    [
        ("M0.9", 5_489_328),
        pytest.param("M1.0", 7_302_796, marks=pytest.mark.slow),
        pytest.param("M1.1", 8_802_912, marks=pytest.mark.slow),
        pytest.param("M1.5", 14_644_432, marks=pytest.mark.slow),
        pytest.param("M2.3", 23_688_792, marks=pytest.mark.slow),
    ],
)
def test_parameter_counts_are_the_published_ones(variant, parameters):
    model = repvit(variant, distillation_head=True)
    assert sum(prod(weight.shape) for weight in model.trainable_variables) == parameters


def test_each_stage_after_the_first_halves_the_grid():
    blocks = [x.output.shape[1:] for x in repvit("M0.9").layers if isinstance(x, ReparametrizedDepthwise)]
    # Each stage has its blocks, and before the next one the first half of the block that halves.
    assert blocks == [(56, 56, 48)] * 3 + [(28, 28, 96)] * 3 + [(14, 14, 192)] * 15 + [(7, 7, 384)] * 2


def test_the_branches_of_a_convolution_are_added():
    layer = ReparametrizedDepthwise(3)
    x = np.random.default_rng(0).normal(size=(2, 5, 6, 4)).astype("float32")
    layer.build(x.shape)
    layer.convolution.kernel.assign(np.zeros((3, 3, 4, 1)))
    layer.pointwise.kernel.assign(np.full((1, 1, 4, 1), 0.5))
    layer.pointwise.bias.assign(np.arange(4))
    expected = (1.5 * x + np.arange(4)) / np.sqrt(1 + 1e-5)
    np.testing.assert_allclose(np.asarray(layer(x)), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"variant": "M3"},
            "Unknown RepViT variant 'M3'. Expected one of M0.9, M1.0, M1.1, M1.5",
        ),
        ({"variant": "M0.9", "image_size": 16}, "more than 16 pixels, which are halved 5 times; received"),
        ({"activation": "tanh"}, "activation to be one of gelu, relu, received 'tanh'"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(arguments, message):
    with pytest.raises(InputError, match=message):
        repvit(**arguments)


def test_an_even_kernel_has_no_centre():
    with pytest.raises(InputError, match="odd kernel_size, such as 3, received 4"):
        ReparametrizedDepthwise(4)
