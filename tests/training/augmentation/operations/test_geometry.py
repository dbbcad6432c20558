import keras
import numpy as np
import pytest

from keras_vit.training.augmentation import Augmentation, augment

HEIGHT, WIDTH, PADDING = 6, 8, 2
# Flip or not, and all shifts of the crop, with the random numbers that draw them.
CASES = [(flip, right, down) for flip in (False, True) for right in range(5) for down in range(5)]
FLIP_AND_CROP = np.array([(flip * 0.5, (r + 0.5) / 5, (d + 0.5) / 5) for flip, r, d in CASES], "float32")


def flip_and_crop(images, flip, right, down):
    padded = np.pad(images, ((PADDING, PADDING), (PADDING, PADDING), (0, 0)))
    crop = padded[down : down + HEIGHT, right : right + WIDTH]
    return crop[:, ::-1] if flip else crop


@pytest.mark.parametrize("layers", [0, 1])
def test_flip_and_crop_move_whole_pixels_and_fill_with_black(layers):
    images = np.random.default_rng(0).integers(1, 256, (len(CASES), HEIGHT, WIDTH, 3), dtype="uint8")
    expected = [flip_and_crop(image, *case) for image, case in zip(images, CASES, strict=True)]
    # With RandAugment, here without an operation, it is a resampling.
    uniforms = np.concatenate([FLIP_AND_CROP, np.full((len(CASES), 3 * layers), 0.99, "float32")], axis=1)
    augmentation = Augmentation(flip=True, crop_padding=PADDING, randaugment_layers=layers)
    changed, _ = augment(images, np.ones((len(CASES), 1), "float32"), uniforms, augmentation)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(changed), expected, atol=1e-3)


@pytest.mark.parametrize("flip", [False, True])
def test_rotation_turns_about_the_middle_either_way_and_fills_with_black(flip):
    image = np.random.default_rng(0).integers(1, 256, (6, 6, 3), dtype="uint8")
    uniforms = np.array([[0.0, 0.0], [0.0, 0.5], [0.0, 1.0]], "float32")[:, 1 - flip :]
    augmentation = Augmentation(rotation=90.0, flip=flip)
    changed, _ = augment(np.stack([image] * 3), np.ones((3, 1), "float32"), uniforms, augmentation)
    turned = [np.rot90(image), image, np.rot90(image, -1)]
    np.testing.assert_allclose(keras.ops.convert_to_numpy(changed), turned, atol=1e-3)
    tilted, _ = augment(image[None], np.ones((1, 1)), uniforms[2:], Augmentation(rotation=45.0, flip=flip))
    assert not keras.ops.convert_to_numpy(tilted)[0, 0, 0].any()


@pytest.mark.parametrize("rotation", [0.0, 90.0])
def test_zoom_scales_about_the_middle_and_fills_with_black(rotation):
    image = np.random.default_rng(0).integers(1, 256, (8, 8, 3), dtype="uint8")
    uniforms = np.array([[0.5, 0.0], [0.5, 0.5], [0.5, 1.0]], "float32")[:, rotation == 0 :]
    augmentation = Augmentation(zoom=0.5, rotation=rotation)
    changed, _ = augment(np.stack([image] * 3), np.ones((3, 1), "float32"), uniforms, augmentation)
    small, same, large = keras.ops.convert_to_numpy(changed)
    np.testing.assert_allclose(same, image, atol=1e-3)
    assert not small[[0, 1, -2, -1]].any() and not small[:, [0, 1, -2, -1]].any()
    # Half the size: between four pixels each; larger: the middle of the image fills it.
    np.testing.assert_allclose(small[3, 3], image[2:4, 2:4].mean((0, 1)), atol=1e-3)
    assert abs(large.mean() - image[1:7, 1:7].mean()) < 15 and large.min() > 0
