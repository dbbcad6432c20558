import keras
import numpy as np
import pytest

from keras_vit.layers import PatchExtraction


def test_patches_are_row_major_and_hold_their_own_pixels():
    image = np.arange(4 * 6 * 2, dtype="float32").reshape(1, 4, 6, 2)
    patches = keras.ops.convert_to_numpy(PatchExtraction((2, 3))(image))
    assert patches.shape == (1, 4, 12)
    np.testing.assert_array_equal(patches[0, 1], image[0, 0:2, 3:6].ravel())
    np.testing.assert_array_equal(patches[0, 2], image[0, 2:4, 0:3].ravel())


def test_reconstruct_is_the_inverse():
    images = np.random.default_rng(0).normal(size=(2, 12, 20, 3)).astype("float32")
    layer = PatchExtraction((3, 5))
    again = keras.ops.convert_to_numpy(layer.reconstruct(layer(images), (12, 20)))
    np.testing.assert_array_equal(again, images)


def test_a_patch_that_does_not_divide_the_image_is_refused_with_both_sizes():
    with pytest.raises(ValueError, match=r"image_size=\(28, 28\) and patch_size=\(5, 5\)"):
        PatchExtraction(5)(np.zeros((1, 28, 28, 1)))


def test_patches_cannot_be_put_together_to_an_image_that_they_do_not_divide():
    with pytest.raises(ValueError, match=r"image_size=\(18, 16\)"):
        PatchExtraction(4).reconstruct(np.zeros((1, 16, 48)), (18, 16))


def test_an_image_without_a_static_size_is_refused():
    with pytest.raises(ValueError, match="fixed shape"):
        PatchExtraction(4)(keras.Input((None, None, 3)))


@pytest.mark.parametrize("patch_size", [0, -1, 2.5, (4, 4, 4), "4", None, True])
def test_an_invalid_patch_size_is_refused(patch_size):
    with pytest.raises(ValueError, match="patch_size"):
        PatchExtraction(patch_size)
