import keras
import numpy as np
import pytest

from keras_vit.layers import PatchEmbedding


def test_linear_stem_is_a_convolution_with_the_patch_as_stride():
    images = np.random.default_rng(0).normal(size=(2, 8, 12, 3)).astype("float32")
    layer = PatchEmbedding(16, (4, 6))
    tokens = keras.ops.convert_to_numpy(layer(images))
    kernel, bias = layer.projection.get_weights()
    convolved = keras.ops.conv(images, kernel.reshape(4, 6, 3, 16), strides=(4, 6)) + bias
    expected = keras.ops.convert_to_numpy(convolved).reshape(2, 4, 16)
    np.testing.assert_allclose(tokens, expected, atol=1e-5)


def test_conv_stem_has_one_convolution_per_halving_and_64_filters_between():
    layer = PatchEmbedding(32, 8, stem="conv")
    layer.build((None, 32, 32, 1))
    shapes = [tuple(w.shape) for w in layer.weights]
    assert shapes == [(3, 3, 1, 64), (3, 3, 64, 64), (3, 3, 64, 32)]


@pytest.mark.parametrize("patch_size", [1, 3, 14, (4, 8)])
def test_conv_stem_refuses_patches_that_are_not_a_square_power_of_two(patch_size):
    with pytest.raises(ValueError, match="power of two"):
        PatchEmbedding(32, patch_size, stem="conv")


def test_an_unknown_stem_is_refused():
    with pytest.raises(ValueError, match="stem to be one of linear, conv, received 'convolution'"):
        PatchEmbedding(32, 4, stem="convolution")


@pytest.mark.parametrize("stem", ["linear", "conv"])
def test_uint8_images_have_the_outputs_of_equal_float_images(stem):
    images = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3)).astype("uint8")
    layer = PatchEmbedding(8, 4, stem=stem)
    from_floats = keras.ops.convert_to_numpy(layer(images.astype("float32")))
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(layer(images)), from_floats)
