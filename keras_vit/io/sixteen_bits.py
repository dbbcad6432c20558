"""The samples of images of more than 8 bits a channel, all bits of them.

Pillow keeps the upper 8 bits of colours and of grey with transparency. Here it decodes such an image once for
the upper and once for the lower ones.
"""

import io
import struct
import sys
import zlib
from collections.abc import Callable

import numpy as np
from PIL import Image

HIGHEST = 65_535
_BITS, _PHOTOMETRIC, _PLANES, _KIND = 258, 262, 284, 339  # tags of TIFF
_WHITE_IS_ZERO, _SEPARATE, _SIGNED = 0, 2, 2  # and values of the last three
_OTHER_ORDER = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}
_GREY_WITH_ALPHA = "LA;16B"
_RGBA_OF_8_BITS = b"\x08\x06"  # in the header of a PNG


class UnfitPixels(ValueError):
    """Pixels that are no levels of grey or colour. The message goes on after the name of the image."""


def has_16_bits(image: Image.Image) -> bool:
    """Returns whether an image, opened and not loaded yet, has more than 8 bits a channel."""
    return image.mode.startswith("I") or any(";16" in raw_mode(tile) for tile in image.tile)


def raw_mode(tile) -> str:
    """Returns how a part of a file, of Pillow's `tile`, holds its pixels, such as `"RGB;16B"`."""
    arguments = tile[3]
    return str(arguments[0] if isinstance(arguments, tuple) and arguments else arguments)


def check_pixels(image: Image.Image):
    """Raises UnfitPixels for an image whose pixels Pillow would give as others than they are."""
    if image.mode == "F":
        raise UnfitPixels(
            f"has floating-point pixels, of unknown range. Scale them to 0 to {HIGHEST:,} and save them with "
            "16 bits."
        )
    if image.mode == "L" and _SIGNED in _tag(image, _KIND):
        raise UnfitPixels("has signed pixels of 8 bits. Add 128 and save them without sign.")
    bits = _tag(image, _BITS)
    if len(bits) > 1 and max(bits) > 8 and _SEPARATE in _tag(image, _PLANES):
        raise UnfitPixels(
            "has 16 bits a channel and a plane for each channel. Save it with the channels of a pixel side "
            "by side (planar configuration 1)."
        )


def read_samples(
    image: Image.Image, data: bytes, load: Callable[[Image.Image], Image.Image]
) -> tuple[np.ndarray, str]:
    """Reads an image of more than 8 bits a channel that was opened from `data`.

    Args:
        load: loads an opened image and turns it upright.

    Returns:
        uint16 `(height, width, bands)`, and Pillow's mode for these bands: L, LA, RGB, RGBA or CMYK.
    """
    raw = raw_mode(image.tile[0])
    if image.mode.startswith("I"):
        return _with_key_color(_grey_values(image, load)[..., None], image, "L")
    if raw == _GREY_WITH_ALPHA:
        upper_and_lower = np.asarray(load(_opened(_as_rgba(data), image.format)), "uint16")
        return upper_and_lower[..., ::2] * 256 + upper_and_lower[..., 1::2], "LA"
    bands, order = raw.replace("a", "A").split(";16")
    upper, lower = (
        np.asarray(load(_opened(data, image.format, f"{bands};16{each}")), "uint16")
        for each in (order, _OTHER_ORDER[order])
    )
    values = upper * 256 + lower
    if "a" in raw:  # colours that are multiplied by their opacity
        colors, opacity = values[..., :-1].astype("uint32"), np.maximum(values[..., -1:], 1)
        values[..., :-1] = np.minimum(colors * HIGHEST // opacity, HIGHEST)
    return _with_key_color(values, image, image.mode)


def _grey_values(image, load):
    signed, inverted = _SIGNED in _tag(image, _KIND), _WHITE_IS_ZERO in _tag(image, _PHOTOMETRIC)
    values = np.asarray(load(image))
    if values.dtype == np.int32 and not signed:
        values = values.view("uint32")
    low, high = int(values.min()), int(values.max())
    if low < 0 or high > HIGHEST:
        raise UnfitPixels(
            f"has pixels from {low:,} to {high:,}, outside of 0 to {HIGHEST:,}. Shift or scale those of all "
            "images alike into this range, and save them with 16 bits, without sign."
        )
    return HIGHEST - values.astype("uint16") if inverted else values.astype("uint16")


def _with_key_color(values, image, mode):
    """Adds the opacity where an image states one colour that is transparent."""
    key = image.info.get("transparency")
    if key is None:
        return values, mode
    opaque = (values != np.asarray(key, "uint16")).any(axis=-1, keepdims=True)
    return np.concatenate([values, opaque * np.uint16(HIGHEST)], axis=-1), f"{mode}A"


def _as_rgba(data):
    """A PNG of grey and opacity with 16 bits as RGBA of 8 bits, the upper and the lower ones."""
    header = data[12:24] + _RGBA_OF_8_BITS + data[26:29]
    return data[:12] + header + struct.pack(">I", zlib.crc32(header)) + data[33:]


def _opened(data, kind, raw=None):
    image = Image.open(io.BytesIO(data), formats=(kind,))
    if raw is not None:
        image.tile = [_with_raw_mode(tile, raw) for tile in image.tile]
    return image


def _with_raw_mode(tile, raw):
    return tile._replace(args=(raw, *tile.args[1:]) if isinstance(tile.args, tuple) else raw)


def _tag(image, number):
    """The values of a tag; none in other files than TIFF."""
    value = getattr(image, "tag_v2", {}).get(number, ())
    return value if isinstance(value, tuple) else (value,)
