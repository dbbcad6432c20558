"""Reads image files as arrays, the same way for training, evaluation and prediction."""

import io
import os
import warnings
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageOps

from keras_vit.errors import InputError
from keras_vit.io.files import read_bytes
from keras_vit.layers._pairs import as_pair

# Pillow warns about unusual but readable files, such as large ones or those with damaged EXIF data.
warnings.filterwarnings("ignore", module=r"PIL\.")

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif")
"""Lower-case suffixes of image files."""

MAX_FILE_SIZE = 1024**3  # bytes
_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF")
_FORMAT_NAMES = "JPEG, PNG, WebP, BMP or GIF"
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def read_image(
    path: str | os.PathLike, size: int | tuple | Callable | None = None, channels: int = 3
) -> np.ndarray:
    """Reads a JPEG, PNG, WebP, BMP or GIF file as a phone's gallery would show it.

    The EXIF orientation is applied, transparency is composited on white, palettes, CMYK, greyscale and 16
    bits become 8-bit RGB (or grey, with 1 channel), and the first frame of an animation is read. The image is
    then **stretched** to `size` with antialiased bilinear interpolation, without keeping its aspect ratio, as
    the image tasks of mobile apps do. Instead of a size, a function may prepare the image, such as a
    `keras_vit.pretrained.Preprocessing`. Every error is an InputError that names the file.

    Returns:
        uint8 array `(height, width, channels)` in [0, 255].
    """
    return decode_image(read_bytes(path, "an image file", MAX_FILE_SIZE), path, size, channels)


def decode_image(
    data: bytes, name, size: int | tuple | Callable | None = None, channels: int = 3
) -> np.ndarray:
    """Decodes the bytes of an image file as `read_image` does; errors call the image `name`."""
    size = size if callable(size) else checked_size(size)
    if channels not in (1, 3):
        raise InputError(f"Expected channels to be 1 (grey) or 3 (RGB), received {channels!r}.")
    if not data:
        raise InputError(f"The image {name} is empty (0 bytes). Replace or remove it.")
    try:
        _verify_checksums(data)
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            image = _as_8_bit(_upright(image), "RGB" if channels == 3 else "L")
    except Image.UnidentifiedImageError as error:
        raise InputError(f"{name} is not an image that can be read. Expected {_FORMAT_NAMES}.") from error
    except Image.DecompressionBombError as error:
        raise InputError(f"The image {name} is too large to be safely decoded: {error}") from error
    except Exception as error:  # Pillow's decoders raise nearly every type for a broken file
        raise InputError(
            f"The image {name} is truncated or broken ({error}). Replace or remove it."
        ) from error
    pixels = np.array(image).reshape(image.height, image.width, channels)
    return pixels if size is None else resize_image(pixels, size)


def resize_image(image: np.ndarray, size: tuple[int, int] | Callable) -> np.ndarray:
    """Stretches a uint8 image of any channels to `(height, width)`, or prepares it by a function."""
    if callable(size):
        return np.clip(np.rint(size(image)), 0, 255).astype("uint8")
    if image.shape[:2] == tuple(size):
        return image
    if image.shape[-1] == 3:
        return _stretched(image, size)
    return np.stack([_stretched(image[..., i], size) for i in range(image.shape[-1])], axis=-1)


def checked_size(size, name="size"):
    """Returns `(height, width)` for an int or a pair of them, and None for None."""
    return None if size is None else as_pair(size, name)


def _verify_checksums(data):
    """Decoding a PNG does not verify its checksums; the other formats have none."""
    if data.startswith(_PNG_SIGNATURE):
        with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            image.verify()


def _stretched(pixels, size):
    return np.array(Image.fromarray(pixels).resize((size[1], size[0]), Image.Resampling.BILINEAR))


def _upright(image):
    image.load()  # in a PNG the EXIF block may come last
    image.getexif()  # is cached; without the block itself, Pillow does not rewrite it, which odd tags prevent
    for block in ("exif", "Raw profile type exif"):
        image.info.pop(block, None)
    return ImageOps.exif_transpose(image)


def _as_8_bit(image, mode):
    if image.mode.startswith("I"):  # 16-bit grey, which Pillow's own conversion would clip at 255
        return Image.fromarray(((np.asarray(image, "uint32") + 128) // 257).astype("uint8")).convert(mode)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image.convert(mode)
