"""Each change of colours against Pillow's or the standard library's."""

import colorsys

import keras
import numpy as np
import pytest
from PIL import Image, ImageEnhance

from keras_vit import InputError
from keras_vit.training.augmentation import Augmentation, augment

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 9, 7, 3), dtype="uint8")
DRAWN = (0.0, 0.3, 1.0)  # factors 1 - x, 1 - 0.4 x and 1 + x
KINDS = {
    "brightness": ImageEnhance.Brightness,
    "contrast": ImageEnhance.Contrast,
    "saturation": ImageEnhance.Color,
}


def changed(augmentation, images=IMAGES):
    count = sum(getattr(augmentation, name) > 0 for name in (*KINDS, "hue"))
    uniforms = np.tile(np.array(DRAWN, "float32")[:, None], (1, count))
    result, _ = augment(images, np.ones((3, 1), "float32"), uniforms, augmentation)
    return keras.ops.convert_to_numpy(result)


@pytest.mark.parametrize("name", KINDS)
def test_factors_change_an_image_as_pillow_does(name):
    found = changed(Augmentation(**{name: 0.5}))
    for image, drawn, result in zip(IMAGES, DRAWN, found, strict=True):
        factor = 1 + 0.5 * (2 * drawn - 1)
        expected = np.asarray(KINDS[name](Image.fromarray(image)).enhance(factor), "float32")
        np.testing.assert_allclose(result, expected, atol=1.5)  # Pillow rounds the grey and the result


def test_hue_turns_the_colour_circle():
    found = changed(Augmentation(hue=0.25))
    for image, drawn, result in zip(IMAGES, DRAWN, found, strict=True):
        for pixel, new in zip(image.reshape(-1, 3), result.reshape(-1, 3), strict=True):
            hue, *rest = colorsys.rgb_to_hsv(*(pixel / 255))
            expected = 255 * np.array(colorsys.hsv_to_rgb((hue + 0.25 * (2 * drawn - 1)) % 1, *rest))
            np.testing.assert_allclose(new, expected, atol=0.01)


def test_several_changes_follow_each_other_in_the_stated_order():
    together = changed(Augmentation(brightness=0.5, saturation=0.8))
    then = changed(Augmentation(saturation=0.8), changed(Augmentation(brightness=0.5)))
    np.testing.assert_allclose(together, then, atol=1e-3)


def test_grey_images_have_no_hue_and_no_saturation():
    grey = IMAGES[..., :1]
    assert changed(Augmentation(brightness=0.5, contrast=0.5), grey).shape == grey.shape
    for name in ("saturation", "hue"):
        with pytest.raises(InputError, match=f"{name} is for RGB images, and these have 1 channel: set"):
            changed(Augmentation(**{name: 0.2}), grey)
