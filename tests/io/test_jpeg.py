"""JPEGs are decoded to Pillow's own pixels, or left to Pillow."""

import io

import numpy as np
import pytest
from PIL import Image, ImageOps

from keras_vit.io.jpeg import decode_jpeg

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 8, 3), "uint8")
PHOTO = Image.fromarray(PIXELS).resize((256, 192), Image.Resampling.BICUBIC)


def jpeg(image=PHOTO, **options):
    file = io.BytesIO()
    image.save(file, "JPEG", **options)
    return file.getvalue()


def decoded(data, factor=1):
    with Image.open(io.BytesIO(data)) as image:
        return decode_jpeg(image, data, factor)


def by_pillow(data, factor=1):
    with Image.open(io.BytesIO(data)) as image:
        if factor > 1:
            image.draft(None, tuple(side // factor for side in image.size))
        return np.asarray(ImageOps.exif_transpose(image))


@pytest.mark.parametrize("factor", [1, 2, 4, 8])
@pytest.mark.parametrize("options", [{}, {"subsampling": 0}, {"progressive": True}, {"quality": 40}])
def test_pixels_are_those_of_pillow(options, factor):
    data = jpeg(**options)
    np.testing.assert_array_equal(decoded(data, factor), by_pillow(data, factor))


@pytest.mark.parametrize("factor", [1, 2])
@pytest.mark.parametrize("orientation", range(9))
def test_images_are_turned_as_pillow_turns_them(orientation, factor):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = jpeg(exif=exif)
    np.testing.assert_array_equal(decoded(data, factor), by_pillow(data, factor))


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_other_colours_are_left_to_pillow(mode):
    assert decoded(jpeg(PHOTO.convert(mode))) is None


def test_other_formats_are_left_to_pillow():
    file = io.BytesIO()
    PHOTO.save(file, "PNG")
    assert decoded(file.getvalue()) is None


def test_a_truncated_file_is_left_to_pillow():
    assert decoded(jpeg()[:-500]) is None
