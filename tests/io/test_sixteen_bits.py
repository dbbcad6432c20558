"""Images of more than 8 bits a channel keep all bits until they are scaled; numbers outside are refused."""

import io

import numpy as np
import pytest
from deep_files import chunk, deep_png, deep_tiff
from PIL import Image

from keras_vit.errors import InputError
from keras_vit.io.images import Changes, decode_image
from keras_vit.io.preprocessing import Preprocessing

SHAPE = (7, 5)
WHITE = (255, 255, 255)


def values(channels, high=4096):
    """Random values, opaque where there is an opacity."""
    pixels = np.random.default_rng(channels).integers(0, high, (*SHAPE, channels)).astype("uint16")
    pixels[0, 0], pixels[0, 1] = 0, high - 1
    if channels % 2 == 0:
        pixels[..., -1] = 65_535
    return pixels


def scaled(pixels, low=0, high=65_535):
    return np.floor((np.clip(pixels, low, high) - float(low)) * 255 / (high - low) + 0.5)


def decoded(data, window=None, changes=None):
    prepare = Preprocessing(**{**vars(Preprocessing.of("stretch", SHAPE)), "window": window})
    return decode_image(data, "scan", prepare, changes=changes)


FILES = {
    **{f"png of {count}": (deep_png(values(count)), values(count)) for count in (1, 2, 3, 4)},
    "grey tiff": (deep_tiff(values(1)), values(1)),
    "grey tiff, white is 0": (deep_tiff(65_535 - values(1), photometric=0), values(1)),
    "big-endian grey tiff": (deep_tiff(values(1), ">"), values(1)),
    "compressed grey tiff": (deep_tiff(values(1), compressed=True), values(1)),
    "signed tiff of values that fit": (deep_tiff(values(1).astype("int16")), values(1)),
    "tiff of 32 bits of values that fit": (deep_tiff(values(1).astype("int32")), values(1)),
    "unsigned tiff of 32 bits of values that fit": (deep_tiff(values(1).astype("uint32")), values(1)),
    "colour tiff": (deep_tiff(values(3)), values(3)),
    "big-endian colour tiff": (deep_tiff(values(3), ">"), values(3)),
    "compressed colour tiff": (deep_tiff(values(3), compressed=True), values(3)),
    "compressed big-endian colour tiff": (deep_tiff(values(3), ">", compressed=True), values(3)),
    "tiff with opacity": (deep_tiff(values(4), extra=2), values(4)),
    "compressed tiff with opacity": (deep_tiff(values(4), extra=2, compressed=True), values(4)),
    "tiff with multiplied opacity": (deep_tiff(values(4), extra=1), values(4)),
    "tiff with unused channel": (deep_tiff(values(4), extra=0), values(4)),
}


@pytest.mark.parametrize("window", [None, (0, 4095), (1000, 3001)])
@pytest.mark.parametrize("name", FILES)
def test_all_bits_count_and_are_scaled_by_the_window(name, window):
    data, pixels = FILES[name]
    colors = pixels[..., :3] if pixels.shape[-1] > 2 else pixels[..., :1]
    expected = np.broadcast_to(scaled(colors, *(window or ())), (*SHAPE, 3))
    changes = Changes()
    np.testing.assert_array_equal(decoded(data, window, changes), expected)
    assert (changes.sixteen_bits, changes.low, changes.high, changes.transparent) == (1, 0, 4095, 0)
    if window is None:
        assert "values from 0 to 4,095 of 65,535: divided by 257, 17 levels" in changes.lines()[0]
        with pytest.raises(InputError, match="17 grey levels would be left. Set sixteen_bit=data"):
            changes.check("scans")


@pytest.mark.parametrize("channels", [2, 4])
def test_opacity_is_scaled_by_its_own_range_and_hidden_colours_do_not_count(channels):
    pixels = values(channels)
    pixels[..., -1] = 65_535 // 5
    pixels[1, 1] = 65_535
    pixels[2, 2, :-1], pixels[2, 2, -1] = 50_000, 0
    pixels[1, 1, :-1] = 4095
    changes = Changes()
    found = decoded(deep_png(pixels), (0, 4095), changes)
    opacity = np.full((*SHAPE, 1), 0.2)
    opacity[1, 1], opacity[2, 2] = 1, 0
    expected = opacity * scaled(pixels[..., :-1], 0, 4095) + (1 - opacity) * 255
    assert np.abs(found - np.broadcast_to(expected, found.shape)).max() <= 1
    assert changes.transparent == 1 and changes.high == 4095


@pytest.mark.parametrize("channels", [1, 3])
def test_a_transparent_colour_of_16_bits_is_white(channels):
    pixels = values(channels)
    key = b"\x03\x21" * channels
    pixels[3, 2] = 0x0321
    pixels[3, 3] = 0x0322  # the same upper bits are not the same colour
    found = decoded(deep_png(pixels, chunk(b"tRNS", key)), (0, 4095))
    assert tuple(found[3, 2]) == WHITE
    np.testing.assert_array_equal(found[3, 3], np.full(3, scaled(0x0322, 0, 4095)))


def test_multiplied_opacity_is_divided_out():
    pixels = np.full((*SHAPE, 4), 32_768, "uint16")
    pixels[..., :3] = 16_384, 32_768, 0
    found = decoded(deep_tiff(pixels, extra=1))
    assert np.abs(found[0, 0].astype(int) - (191, 255, 127)).max() <= 1


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_images_of_16_bits_are_turned(channels):
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels = values(channels, 65_536)
    block = chunk(b"eXIf", exif.tobytes()[6:])
    upright = decode_image(deep_png(pixels), "x")
    np.testing.assert_array_equal(decode_image(deep_png(pixels, block), "x"), np.rot90(upright, -1))


def test_ink_of_16_bits_is_scaled_too():
    pixels = np.full((*SHAPE, 4), 0, "uint16")
    pixels[..., 1] = 4095
    np.testing.assert_array_equal(decoded(deep_tiff(pixels, photometric=5), (0, 4095))[0, 0], (255, 0, 255))


def test_both_grey_and_colour_images_give_the_range():
    changes = Changes()
    decoded(deep_png(values(3, 3000)), changes=changes)
    decoded(deep_png(values(1, 40_000)), changes=changes)
    assert (changes.sixteen_bits, changes.high) == (2, 39_999)
    changes.check("scans")


HOUNSFIELD = np.linspace(-1024, 3071, 35).reshape(*SHAPE, 1)


@pytest.mark.parametrize(
    ("pixels", "words"),
    [
        (HOUNSFIELD.astype("int16"), "from -1,024 to 3,071, outside of 0 to 65,535. Shift or scale"),
        (HOUNSFIELD.astype("int32") * 2134, "from -2,185,216 to 6,553,514"),
        (np.abs(HOUNSFIELD).astype("uint32") * 1_000_000, "to 3,071,000,000"),
        (HOUNSFIELD.astype("float32"), "floating-point pixels, of unknown range. Scale them to 0 to 65,535"),
        ((HOUNSFIELD / 32).astype("int8"), "signed pixels of 8 bits. Add 128"),
    ],
)
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("window", [None, (0, 2000)])
def test_numbers_that_no_image_has_are_refused_and_do_not_wrap(pixels, words, order, window):
    order = "<" if pixels.dtype == "uint32" else order  # which Pillow does not read in the other order
    with pytest.raises(InputError, match="The image scan has ") as caught:
        decoded(deep_tiff(pixels, order), window)
    assert words in str(caught.value)


@pytest.mark.parametrize("compressed", [False, True])
def test_separate_planes_of_16_bits_are_refused(compressed):
    with pytest.raises(InputError, match="a plane for each channel. Save it with the channels of a pixel"):
        decoded(deep_tiff(values(3), separate=True, compressed=compressed))


def test_the_least_and_the_highest_value_are_black_and_white():
    for mode in ("I;16", "I;16B"):
        image = Image.frombytes(mode, (2, 1), b"\0\0\xff\xff")
        file = io.BytesIO()
        image.save(file, "TIFF")
        np.testing.assert_array_equal(decode_image(file.getvalue(), "x")[0, :, 0], [0, 255])
