"""JPEGs are decoded to Pillow's own pixels, or left to Pillow."""

import io

import numpy as np
import pytest
from PIL import Image, ImageOps

from keras_vit.errors import InputError
from keras_vit.io.images import Changes, decode_reduced
from keras_vit.io.jpeg import decode_jpeg

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 8, 3), "uint8")
PHOTO = Image.fromarray(PIXELS).resize((256, 192), Image.Resampling.BICUBIC)


def jpeg(image=PHOTO, **options):
    file = io.BytesIO()
    image.save(file, "JPEG", **options)
    return file.getvalue()


def decoded(data, factor=1, channels=3):
    with Image.open(io.BytesIO(data)) as image:
        return decode_jpeg(image, data, factor, channels)[0]


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


@pytest.mark.parametrize("factor", [1, 4])
@pytest.mark.parametrize("orientation", [1, 6])
def test_grey_images_too(orientation, factor):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = jpeg(PHOTO.convert("L"), exif=exif)
    expected = by_pillow(data, factor)[..., np.newaxis]
    np.testing.assert_array_equal(decoded(data, factor, 1), expected)
    np.testing.assert_array_equal(decoded(data, factor, 3), expected.repeat(3, axis=2))


def test_other_colours_are_left_to_pillow():
    assert decoded(jpeg(PHOTO.convert("CMYK"))) is None
    assert decoded(jpeg(), channels=1) is None


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_damage_is_told_where_pillow_decodes_without_a_word(mode):
    """Of a flipped bit a decoder notices what no longer fits: not each, since others give another picture."""
    data, told = jpeg(PHOTO.convert(mode)), 0
    for place in range(len(data) // 2, len(data) - 50):
        broken, changes = bytearray(data), Changes()
        broken[place] ^= 0x10
        try:
            image = decode_reduced(bytes(broken), "a photo", channels=len(mode), changes=changes)
        except InputError:
            continue
        assert image.shape == (192, 256, len(mode))
        told += changes.damaged
        if changes.damaged:
            (line,) = changes.lines()
            assert line.startswith("1 JPEG is damaged, and decoded as far as possible: look at a photo (Corr")
    assert told > 50
    intact = Changes()
    decode_reduced(data, "a photo", channels=len(mode), changes=intact)
    assert intact.damaged == 0 and intact.lines() == []


def test_other_formats_are_left_to_pillow():
    file = io.BytesIO()
    PHOTO.save(file, "PNG")
    assert decoded(file.getvalue()) is None


def test_a_truncated_file_is_left_to_pillow():
    assert decoded(jpeg()[:-500]) is None
