"""Reads image files as arrays, the same way for training, evaluation and prediction."""

import io
import os
import warnings
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageOps

from keras_vit.errors import InputError
from keras_vit.io.files import read_bytes
from keras_vit.io.image_formats import FORMAT_NAMES, formats
from keras_vit.io.preprocessing import Preprocessing
from keras_vit.layers._pairs import as_pair

# Pillow warns about unusual but readable files, such as large ones or those with damaged EXIF data.
warnings.filterwarnings("ignore", module=r"PIL\.")

MAX_FILE_SIZE = 1024**3  # bytes
LEAST_LEVELS = 32  # grey levels of 16-bit images that have to be left
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


class Changes:
    """What decoding changed of some images that their owner should know. Threads may share it."""

    def __init__(self):
        self.transparent = 0
        self.sixteen_bits = []  # `(lowest, highest)` value of each image

    def lines(self) -> list[str]:
        """Returns a line on each kind of change."""
        found = []
        if self.transparent:
            found.append(
                f"{self.transparent:,} images have transparent parts, which become white. An app has to do "
                "the same: MediaPipe leaves out the transparency."
            )
        if self.sixteen_bits:
            low, high = self._range()
            found.append(
                f"{len(self.sixteen_bits):,} images have 16 bits, with values from {low:,} to {high:,} of "
                f"65,535: divided by 257, {self._levels()} levels of 256 are used."
            )
        return found

    def check(self, where):
        """Raises InputError where hardly a grey level of 16-bit images would be left."""
        if self.sixteen_bits and self._levels() < LEAST_LEVELS:
            low, high = self._range()
            raise InputError(
                f"The 16-bit images of {where} have values from {low:,} to {high:,} of 65,535: with 8 bits "
                f"{self._levels()} grey levels would be left. Save them as 8-bit images of the range that "
                "matters."
            )

    def _range(self):
        lows, highs = zip(*self.sixteen_bits, strict=True)
        return min(lows), max(highs)

    def _levels(self):
        low, high = self._range()
        return round(high / 257) - round(low / 257) + 1


def read_image(
    path: str | os.PathLike,
    size: int | tuple | Callable | None = None,
    channels: int = 3,
    changes: Changes | None = None,
) -> np.ndarray:
    """Reads a JPEG, PNG, WebP, BMP, GIF, TIFF or AVIF file as a phone's gallery would show it.

    The EXIF orientation is applied, transparency is composited on white, palettes, CMYK, greyscale and 16
    bits become 8-bit RGB (or grey, with 1 channel), and the first frame or page is read. HEIC needs the
    package pillow-heif. The image is then **stretched** to `size` with antialiased bilinear interpolation,
    without keeping its aspect ratio, as the image tasks of mobile apps do. Instead of a size, a function may
    prepare the image, such as a `keras_vit.pretrained.Preprocessing`. Every error is an InputError that names
    the file. `changes` counts what decoding changed.

    Returns:
        uint8 array `(height, width, channels)` in [0, 255].
    """
    return decode_image(read_bytes(path, "an image file", MAX_FILE_SIZE), path, size, channels, changes)


def decode_image(
    data: bytes,
    name,
    size: int | tuple | Callable | None = None,
    channels: int = 3,
    changes: Changes | None = None,
) -> np.ndarray:
    """Decodes the bytes of an image file as `read_image` does; errors call the image `name`."""
    size = size if size is None or callable(size) else as_pair(size, "size")
    if channels not in (1, 3):
        raise InputError(f"Expected channels to be 1 (grey) or 3 (RGB), received {channels!r}.")
    if not data:
        raise InputError(f"The image {name} is empty (0 bytes). Replace or remove it.")
    try:
        _verify_checksums(data)
        with Image.open(io.BytesIO(data), formats=formats()) as image:
            image = _as_8_bit(_upright(image), "RGB" if channels == 3 else "L", changes or Changes())
    except Image.UnidentifiedImageError as error:
        raise InputError(f"{name} is not an image that can be read. Expected {FORMAT_NAMES}.") from error
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
    return image if image.shape[:2] == tuple(size) else Preprocessing.of("stretch", size)(image)


def _verify_checksums(data):
    """Decoding a PNG does not verify its checksums; the other formats have none."""
    if data.startswith(_PNG_SIGNATURE):
        with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            image.verify()


def _upright(image):
    image.load()  # in a PNG the EXIF block may come last
    image.getexif()  # is cached; without the block itself, Pillow does not rewrite it, which odd tags prevent
    for block in ("exif", "Raw profile type exif"):
        image.info.pop(block, None)
    return ImageOps.exif_transpose(image)


def _as_8_bit(image, mode, changes):
    if image.mode == "F":
        raise ValueError("its pixels are floating-point numbers, of unknown range")
    if image.mode.startswith("I"):  # 16-bit grey, which Pillow's own conversion would clip at 255
        values = np.asarray(image, "uint32")
        changes.sixteen_bits.append((int(values.min()), int(values.max())))
        return Image.fromarray(((values + 128) // 257).astype("uint8")).convert(mode)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        changes.transparent += image.getextrema()[-1][0] < 255
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image.convert(mode)
