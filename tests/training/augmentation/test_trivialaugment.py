"""Each operation at the strengths of TrivialAugment's wide space against Pillow's."""

import keras
import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps

from keras_vit.training.augmentation import Augmentation, augment
from keras_vit.training.augmentation.draw import OPERATIONS
from keras_vit.training.augmentation.trivialaugment import draw

SIZE = (40, 48)  # height, width


def enhanced(kind):
    return lambda image, level: kind(image).enhance(1 + 0.99 * level)


def transformed(make_coefficients):
    def transform(image, level):
        coefficients = make_coefficients(level)
        return image.transform(image.size, Image.Transform.AFFINE, coefficients, Image.Resampling.BILINEAR)

    return transform


COLORS = {
    "identity": (lambda image, level: image, 0),
    "autocontrast": (lambda image, level: ImageOps.autocontrast(image), 1),
    "equalize": (lambda image, level: ImageOps.equalize(image), 0),
    "posterize": (lambda image, level: ImageOps.posterize(image, 8 - round(6 * level)), 0),
    "solarize": (lambda image, level: ImageOps.solarize(image, 255 * (1 - level)), 0),
    "brightness": (enhanced(ImageEnhance.Brightness), 1),
    "contrast": (enhanced(ImageEnhance.Contrast), 1),
    "color": (enhanced(ImageEnhance.Color), 2),
    "sharpness": (enhanced(ImageEnhance.Sharpness), 2),
}
GEOMETRY = {
    "shear_x": transformed(lambda level: (1, 0.99 * level, 0, 0, 1, 0)),
    "shear_y": transformed(lambda level: (1, 0, 0, 0.99 * level, 1, 0)),
    "translate_x": transformed(lambda level: (1, 0, 32 * level, 0, 1, 0)),
    "translate_y": transformed(lambda level: (1, 0, 0, 0, 1, 32 * level)),
    "rotate": lambda image, level: image.rotate(-135 * level, Image.Resampling.BILINEAR),
}
STEPS = (0, 6, 15, 30)  # of 30


def applied(images, name, step, sign):
    place = (OPERATIONS.index(name) + 0.5) / len(OPERATIONS)
    uniforms = np.tile(np.array([place, (step + 0.5) / 31, 0.5 + sign / 4], "float32"), (len(images), 1))
    changed, _ = augment(images, np.ones((len(images), 1)), uniforms, Augmentation(trivial_augment=True))
    return keras.ops.convert_to_numpy(changed)


def photos():
    generator = np.random.default_rng(3)
    coarse = generator.integers(0, 256, (3, SIZE[0] // 4, SIZE[1] // 4, 3))
    noise = generator.integers(20, 90, (3, *SIZE, 3))
    return (coarse.repeat(4, axis=1).repeat(4, axis=2) * 0.6 + noise).astype("uint8")


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("name", [*COLORS, *GEOMETRY])
def test_an_operation_equals_that_of_pillow_at_every_strength(name, sign):
    function, tolerance = COLORS.get(name) or (GEOMETRY[name], 2)
    unsigned = name in ("posterize", "solarize")
    for step in STEPS:
        level = step / 30 * (1 if unsigned else sign)
        expected = np.stack([np.asarray(function(Image.fromarray(p), level), "float32") for p in photos()])
        found = applied(photos(), name, step, sign)
        inside = np.ones(found.shape, bool)
        if name in GEOMETRY:  # borders blend with black
            inside = applied(np.full_like(photos(), 255), name, step, sign) > 254.9
            assert inside.any()
        np.testing.assert_allclose(found[inside], expected[inside], atol=tolerance, err_msg=str(step))


def test_every_operation_is_drawn_equally_often_and_so_is_every_strength():
    places = (np.arange(1400, dtype="float32")[:, None] + 0.5) / 1400
    drawn = draw(keras.ops.convert_to_tensor(np.tile(places, (1, 3))))
    operations = keras.ops.convert_to_numpy(drawn.operation).astype(int)
    assert np.bincount(operations).tolist() == [100] * len(OPERATIONS)
    levels, counts = np.unique(keras.ops.convert_to_numpy(drawn.level), return_counts=True)
    np.testing.assert_allclose(levels, np.arange(31) / 30, atol=1e-6)
    assert counts.min() >= 45
