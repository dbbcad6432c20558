import keras
import pytest

from keras_vit.models import vit
from keras_vit.training.flops import count_activation_bytes, count_flops


@pytest.mark.parametrize(
    ("layer", "flops"),
    [
        (keras.layers.Dense(7, use_bias=False), 2 * 8 * 8 * 3 * 7),
        (keras.layers.Conv2D(4, 3, padding="same", use_bias=False), 2 * 8 * 8 * 9 * 3 * 4),
        (keras.layers.DepthwiseConv2D(3, padding="same", use_bias=False), 2 * 8 * 8 * 9 * 3),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_products_and_convolutions_are_counted_as_two_operations_a_weight(layer, flops):
    assert count_flops(keras.Sequential([keras.Input((8, 8, 3)), layer])) == flops


def test_the_published_count_of_a_vision_transformer_is_met():
    # Ti/16 at 224 pixels: 1.26 GMACs of products (DeiT, https://arxiv.org/abs/2012.12877, table 5: 1.3 G).
    assert count_flops(vit("Ti/16", image_size=224)) / 2 == pytest.approx(1.26e9, rel=0.02)


def test_activations_are_counted_in_bytes_without_views():
    model = keras.Sequential(
        [keras.Input((8,)), keras.layers.Dense(4, use_bias=False), keras.layers.Reshape((2, 2))]
    )
    assert count_activation_bytes(model) == 4 * 4
