"""Each operation against Pillow's; at magnitude 9 and without deviation the level is 0.9."""

import keras
import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps

from keras_vit.training.augmentation import Augmentation, augment
from keras_vit.training.augmentation.draw import OPERATIONS
from keras_vit.training.augmentation.randaugment import draw

SIZE = (24, 20)  # height, width
FACTOR = 0.81  # 0.9 of the level times 0.9


def enhanced(kind):
    return lambda image, sign: kind(image).enhance(1 + sign * FACTOR)


def transformed(make_coefficients):
    def transform(image, sign):
        coefficients = make_coefficients(sign)
        return image.transform(image.size, Image.Transform.AFFINE, coefficients, Image.Resampling.BILINEAR)

    return transform


# Function and tolerance: Pillow's autocontrast cuts 255 to 254 at times, its blends drop fractions.
COLORS = {
    "identity": (lambda image, sign: image, 0),
    "autocontrast": (lambda image, sign: ImageOps.autocontrast(image), 1),
    "equalize": (lambda image, sign: ImageOps.equalize(image), 0),
    "posterize": (lambda image, sign: ImageOps.posterize(image, 1), 0),
    "solarize": (lambda image, sign: ImageOps.solarize(image, 26), 0),
    "brightness": (enhanced(ImageEnhance.Brightness), 1),
    "contrast": (enhanced(ImageEnhance.Contrast), 1),
    "color": (enhanced(ImageEnhance.Color), 2),
    "sharpness": (enhanced(ImageEnhance.Sharpness), 2),
}
GEOMETRY = {
    "shear_x": transformed(lambda sign: (1, sign * 0.27, 0, 0, 1, 0)),
    "shear_y": transformed(lambda sign: (1, 0, 0, sign * 0.27, 1, 0)),
    "translate_x": transformed(lambda sign: (1, 0, sign * 0.405 * SIZE[1], 0, 1, 0)),
    "translate_y": transformed(lambda sign: (1, 0, 0, 0, 1, sign * 0.405 * SIZE[0])),
    "rotate": lambda image, sign: image.rotate(-sign * 27, Image.Resampling.BILINEAR),
}


def make_images(channels):
    generator = np.random.default_rng(3)
    coarse = generator.integers(0, 256, (7, SIZE[0] // 4, SIZE[1] // 4, channels))
    images = coarse.repeat(4, axis=1).repeat(4, axis=2) * 0.6 + generator.integers(
        20, 90, (7, *SIZE, channels)
    )
    images = images.astype("uint8")
    return np.concatenate([images, np.full((1, *SIZE, channels), 77, "uint8")])  # one of a single value


def make_uniforms(names, sign, size=8):
    layers = []
    for name in names:
        operation = (OPERATIONS.index(name) + 0.5) / (2 * len(OPERATIONS))
        layers += [operation, 0.5, 0.25 if sign < 0 else 0.75]
    return np.tile(np.array(layers, "float32"), (size, 1))


def randaugment(images, names, sign):
    augmentation = Augmentation(randaugment_layers=len(names))
    labels = np.ones((len(images), 1), "float32")
    return keras.ops.convert_to_numpy(augment(images, labels, make_uniforms(names, sign), augmentation)[0])


def by_pillow(images, function, sign):
    return np.stack([np.asarray(function(as_pillow(image), sign), "float32") for image in images]).reshape(
        images.shape
    )


def as_pillow(image):
    return Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("name", COLORS)
def test_colour_operations_equal_those_of_pillow(name, sign, channels):
    function, tolerance = COLORS[name]
    images = make_images(channels)
    expected = by_pillow(images, function, sign)
    np.testing.assert_allclose(randaugment(images, [name], sign), expected, atol=tolerance)


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("name", GEOMETRY)
def test_geometric_operations_equal_those_of_pillow(name, sign):
    images = make_images(3)
    inside = randaugment(np.full_like(images, 255), [name], sign) > 254.9  # borders blend with black
    assert inside.mean() > 0.4
    expected = by_pillow(images, GEOMETRY[name], sign)
    np.testing.assert_allclose(
        randaugment(images, [name], sign)[inside], expected[inside], atol=2
    )  # Pillow rounds its weights


@pytest.mark.parametrize(
    "names", [("solarize", "equalize"), ("equalize", "solarize"), ("posterize", "autocontrast")]
)
def test_operations_on_single_pixels_apply_in_the_order_drawn(names):
    images = make_images(3)
    expected = images
    for name in names:
        expected = by_pillow(expected, COLORS[name][0], 1).astype("uint8")
    np.testing.assert_array_equal(randaugment(images, names, 1), expected)


def test_geometric_operations_compose_in_the_order_drawn():
    images = make_images(3)
    first, second = "translate_x", "rotate"
    chained = randaugment(randaugment(images, [first], 1).round().astype("uint8"), [second], 1)
    inside = randaugment(np.full_like(images, 255), [first, second], 1) > 254.9
    together = randaugment(images, [first, second], 1)[inside]
    other_order = randaugment(images, [second, first], 1)[inside]
    assert np.abs(together - chained[inside]).mean() < 0.5 * np.abs(together - other_order).mean()


def test_half_of_the_layers_are_skipped_and_the_rest_shared_evenly():
    uniforms = np.tile(np.linspace(0, 1, 2800, endpoint=False, dtype="float32")[:, None], (1, 3))
    (drawn,) = draw(uniforms + 1e-5, Augmentation(randaugment_layers=1))
    counts = np.bincount(keras.ops.convert_to_numpy(drawn.operation).astype(int), minlength=28)
    np.testing.assert_allclose(counts, 100, atol=1)


def test_magnitudes_are_normal_around_the_mean_and_clipped():
    uniforms = np.tile((np.arange(1000, dtype="float32")[:, None] + 0.5) / 1000, (1, 3))
    (drawn,) = draw(uniforms, Augmentation(randaugment_layers=1, randaugment_magnitude=5))
    level = keras.ops.convert_to_numpy(drawn.level)
    assert level.mean() == pytest.approx(0.5, abs=1e-4) and level.std() == pytest.approx(0.05, abs=1e-3)
    (strongest,) = draw(uniforms, Augmentation(randaugment_layers=1, randaugment_magnitude=10))
    assert keras.ops.convert_to_numpy(strongest.level).max() == 1
