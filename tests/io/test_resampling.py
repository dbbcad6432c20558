"""Parts of images are resized as Pillow does, with the library for it and without."""

import math

import numpy as np
import pytest
from PIL import Image

from keras_vit.io import resampling
from keras_vit.io.resampling import resize_part

GENERATOR = np.random.default_rng(0)
BOXES = [
    (0, 0, 50, 40),
    (3.7, 5.2, 41.1, 39.9),
    (10, 0, 50, 1.5),
    (7.25, 30.5, 8.5, 33),
    (49.5, 39.5, 50, 40),
]


@pytest.fixture(params=["installed", "Pillow"])
def library(request, monkeypatch):
    if request.param == "Pillow":
        monkeypatch.setattr(resampling, "cykooz_resizer", None)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("size", [(8, 12), (40, 50), (64, 20)])
@pytest.mark.parametrize("box", BOXES)
def test_a_part_is_resized_as_by_pillow(library, box, size, channels):
    """Fixed-point sums are rounded differently: by one level."""
    image = GENERATOR.integers(0, 256, (40, 50, channels), "uint8")
    whole = (int(box[0]), int(box[1]), math.ceil(box[2]), math.ceil(box[3]))
    within = tuple(side - start for side, start in zip(box, whole[:2] * 2, strict=True))
    expected = [
        Image.fromarray(image[..., channel])
        .crop(whole)
        .resize(size[::-1], Image.Resampling.BILINEAR, box=within)
        for channel in range(channels)
    ]
    result = resize_part(image, box, size)
    assert result.shape == (*size, channels) and result.dtype == np.uint8
    assert np.abs(result.astype(int) - np.stack(expected, axis=-1)).max() <= 1


def test_pixels_outside_of_the_part_do_not_matter(library):
    image = GENERATOR.integers(0, 256, (40, 50, 3), "uint8")
    changed = image.copy()
    changed[:10], changed[31:], changed[:, :5], changed[:, 45:] = 0, 255, 0, 255
    box = (5, 10.5, 45, 30.2)
    np.testing.assert_array_equal(resize_part(image, box, (8, 8)), resize_part(changed, box, (8, 8)))
