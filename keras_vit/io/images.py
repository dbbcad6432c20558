"""Reads image files as arrays, the same way for training, evaluation and prediction."""

import dataclasses
import functools
import io
import math
import os
import threading
import warnings
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageOps

from keras_vit.errors import InputError, counted
from keras_vit.io.files import read_bytes
from keras_vit.io.image_formats import FORMAT_NAMES, formats
from keras_vit.io.jpeg import decode_jpeg
from keras_vit.io.preprocessing import WHITE, Preprocessing
from keras_vit.io.sixteen_bits import HIGHEST, UnfitPixels, check_pixels, has_16_bits, raw_mode, read_samples
from keras_vit.pairs import as_pair

# Pillow warns about unusual but readable files, such as large ones or those with damaged EXIF data.
warnings.filterwarnings("ignore", module=r"PIL\.")

MAX_FILE_SIZE = 1024**3  # bytes
LEAST_LEVELS = 32  # grey levels of 16-bit images that have to be left
REDUCED_TO = 3  # times the size that is asked for: what a JPEG is reduced to, at least, while it is decoded
_FEW_BITS = {"1": 255, "L;2": 85, "L;4": 17}  # grey levels that a step is, by Pillow's name of the samples
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


@dataclasses.dataclass(eq=False)
class Changes:
    """What decoding changed of some images that their owner should know. Threads may share it."""

    transparent: int = 0  # images with transparent parts
    sixteen_bits: int = 0  # images of 16 bits a channel
    low: int = HIGHEST  # the values that occur in these, where they are not transparent
    high: int = 0
    ranges: list[int] = dataclasses.field(default_factory=lambda: [0] * 17)  # of each, by the bits they have
    damaged: int = 0  # JPEGs that were decoded as far as possible
    example: str = ""  # one of them, and what the decoder says of it

    def __post_init__(self):
        self._lock = threading.Lock()

    @classmethod
    def of_16_bits(cls, low: int, high: int) -> "Changes":
        """Returns those of an image of 16 bits with values from `low` to `high`."""
        bits = (high - low).bit_length()
        return cls(sixteen_bits=1, low=low, high=high, ranges=[int(place == bits) for place in range(17)])

    def add(self, other: "Changes"):
        """Counts what decoding changed of other images."""
        with self._lock:
            self.transparent += other.transparent
            self.sixteen_bits += other.sixteen_bits
            self.low, self.high = min(self.low, other.low), max(self.high, other.high)
            self.ranges = [own + more for own, more in zip(self.ranges, other.ranges, strict=True)]
            self.damaged += other.damaged
            self.example = min(filter(None, (self.example, other.example)), default="")

    def lines(self, background=WHITE, window=None) -> list[str]:
        """Returns a line on each kind of change; the arguments are those of `Preprocessing`."""
        found = []
        if self.damaged:
            found.append(
                f"{counted(self.damaged, 'JPEG is', 'JPEGs are')} damaged, and decoded as far as possible: "
                f"look at {self.example}"
            )
        if self.transparent:
            found.append(
                f"{counted(self.transparent, 'image has', 'images have')} transparent parts, which become "
                f"{_color(background)}. An app has to do the same: MediaPipe leaves out the transparency."
            )
        if self.sixteen_bits:
            found.append(
                f"{counted(self.sixteen_bits, 'image has', 'images have')} 16 bits, with values from "
                f"{self.low:,} to {self.high:,} of 65,535: {_scaling(window)}, {self._levels(window)} "
                "levels of 256 are used."
            )
        if few := self._few(window):
            found.append(
                f"{counted(few, 'image keeps', 'images keep')} fewer than {LEAST_LEVELS} levels of 16 bits."
            )
        return found

    def check(self, where, window=None, is_chosen=False):
        """Raises InputError where hardly a grey level of 16-bit images would be left.

        Of a window that `is_chosen` by the user, images may have a small part each.
        """
        if self.sixteen_bits and self._levels(window) < LEAST_LEVELS:
            raise InputError(
                f"The 16-bit images of {where} have values from {self.low:,} to {self.high:,} of 65,535: "
                f"{_scaling(window)}, {self._levels(window)} grey levels would be left. Set sixteen_bit=data "
                "to scale them by the values that occur, or sixteen_bit=LOW:HIGH by those that matter."
            )
        if not is_chosen and 2 * (few := self._few(window)) > self.sixteen_bits:
            raise InputError(
                f"{few:,} of {counted(self.sixteen_bits, '16-bit image')} of {where} would keep fewer than "
                f"{LEAST_LEVELS} grey levels each: all have values from {self.low:,} to {self.high:,} of "
                f"65,535, {_scaling(window)}, but most of them only a small part of that. Set "
                "sixteen_bit=LOW:HIGH to the values that matter."
            )

    def _few(self, window):
        """How many images of 16 bits keep too few levels each, whatever brighter ones there are."""
        low, high = window or (0, HIGHEST)
        least = (LEAST_LEVELS - 1) * (high - low) / 255
        return sum(count for bits, count in enumerate(self.ranges) if 2**bits - 1 < least)

    def _levels(self, window):
        low, high = _windowed(np.array([self.low, self.high], "uint32"), window).tolist()
        return high - low + 1


def read_image(
    path: str | os.PathLike,
    size: int | tuple | Callable | None = None,
    channels: int = 3,
    changes: Changes | None = None,
) -> np.ndarray:
    """Reads a JPEG, PNG, WebP, BMP, GIF, TIFF or AVIF file as a phone's gallery would show it.

    The EXIF orientation is applied, transparency is composited on white, palettes, CMYK, greyscale and 16
    bits become 8-bit RGB (or grey, with 1 channel), and the first frame or page is read. HEIC needs the
    package pillow-heif. An image that is much larger than `size` is reduced while it is decoded, see
    `reduced_side`. It is then **stretched** to `size` with antialiased bilinear interpolation,
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
    given = {key: getattr(size, key) for key in ("background", "window") if hasattr(size, key)}
    pixels = decode_reduced(data, name, reduced_side(size), channels, changes, **given)
    return pixels if size is None else resize_image(pixels, size)


def reduced_side(size: tuple[int, int] | Callable | None) -> int | None:
    """Returns the shorter side, in pixels, to which large images are reduced while they are decoded.

    It leaves an image larger than `size` in both directions, so that the antialiased resizing that follows
    decides what is seen. None for none, and for a function that does not state an `image_size`.
    """
    size = getattr(size, "image_size", size)
    return math.ceil(REDUCED_TO * max(size)) if isinstance(size, tuple) else None


def decode_reduced(
    data: bytes,
    name,
    least_side: int | None = None,
    channels: int = 3,
    changes: Changes | None = None,
    background: tuple[int, int, int] = WHITE,
    window: tuple[int, int] | None = None,
) -> np.ndarray:
    """Decodes the bytes of an image file, reduced as far as its shorter side stays at least `least_side`.

    A JPEG is decoded at 1/2, 1/4 or 1/8 of its size where both sides are multiples of that. An image of more
    than four times `least_side` is reduced to about twice, each pixel the mean of those it covers. None keeps
    the size. `background` and `window` are those of `Preprocessing`.

    Returns:
        uint8 `(height, width, channels)`.
    """
    if channels not in (1, 3):
        raise InputError(f"Expected channels to be 1 (grey) or 3 (RGB), received {channels!r}.")
    if not data:
        raise InputError(f"The image {name} is empty (0 bytes). Replace or remove it.")
    try:
        _verify_checksums(data)
        with Image.open(io.BytesIO(data), formats=formats()) as image:
            check_pixels(image)
            factor = 1 if least_side is None else _reduction(image, least_side)
            pixels, damage = decode_jpeg(image, data, factor, channels)
            if pixels is None:
                pixels = _decoded_by_pillow(
                    image, data, factor, channels, changes or Changes(), background, window
                )
    except Image.UnidentifiedImageError as error:
        raise InputError(f"{name} is not an image that can be read. Expected {FORMAT_NAMES}.") from error
    except Image.DecompressionBombError as error:
        raise InputError(f"The image {name} is too large to be safely decoded: {error}") from error
    except UnfitPixels as error:
        raise InputError(f"The image {name} {error}") from error
    except Exception as error:  # Pillow's decoders raise nearly every type for a broken file
        raise InputError(
            f"The image {name} is truncated or broken ({error}). Replace or remove it."
        ) from error
    if damage and changes is not None:
        changes.add(Changes(damaged=1, example=f"{name} ({damage})"))
    height, width = pixels.shape[:2]
    if least_side is not None and min(height, width) > 4 * least_side:
        size = _reduced_size(width, height, 2 * least_side)
        pixels = _as_array(Image.fromarray(np.squeeze(pixels)).resize(size, Image.Resampling.BOX))
    return pixels


def resize_image(image: np.ndarray, size: tuple[int, int] | Callable) -> np.ndarray:
    """Stretches a uint8 image of any channels to `(height, width)`, or prepares it by a function."""
    if callable(size):
        return np.clip(np.rint(size(image)), 0, 255).astype("uint8")
    return image if image.shape[:2] == tuple(size) else Preprocessing.of("stretch", size)(image)


def _reduction(image, least_side):
    """By what a JPEG is decoded to whole means of pixels; where a part is left over, it would be shifted."""
    for factor in (8, 4, 2):
        reduced = [side // factor for side in image.size]
        is_whole = not any(side % factor for side in image.size)
        if image.format in ("JPEG", "MPO") and min(reduced) >= least_side and is_whole:
            return factor
    return 1


def _reduced_size(width, height, side):
    """Width and height, the shorter from `side` to a quarter more: those that keep the ratio best.

    Another ratio could be rounded to another size in the resizing that follows, and the crop be shifted.
    """
    ratio = max(width, height) / min(width, height)
    short = min(range(side, side + side // 4 + 1), key=lambda each: abs(each * ratio - round(each * ratio)))
    sides = short, round(short * ratio)
    return sides if width <= height else sides[::-1]


def _decoded_by_pillow(image, data, factor, channels, changes, background, window):
    if has_16_bits(image):
        image = _in_8_bits(*read_samples(image, data, _upright), changes, window)
    else:
        if factor > 1:
            image.draft(None, tuple(side // factor for side in image.size))
        _scale_key(image)
        image = _upright(image)
    return _as_array(_opaque(image, "RGB" if channels == 3 else "L", changes, background))


def _scale_key(image):
    """Scales the grey that a PNG of few bits states as transparent like its pixels, which Pillow does not."""
    key = image.info.get("transparency")
    factor = _FEW_BITS.get(raw_mode(image.tile[0])) if isinstance(key, int) and image.tile else None
    if factor is not None and key * factor <= 255:
        image.info["transparency"] = key * factor


def _as_array(image):
    return np.array(image).reshape(image.height, image.width, len(image.getbands()))


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
    ImageOps.exif_transpose(image, in_place=True)
    return image


def _in_8_bits(samples, mode, changes, window):
    """Scales colours by the window, and opacity by all of its range."""
    colors, opacity = (samples[..., :-1], samples[..., -1]) if mode[-1] == "A" else (samples, None)
    seen = colors if opacity is None or not opacity.any() else colors[opacity > 0]
    changes.add(Changes.of_16_bits(int(seen.min()), int(seen.max())))
    bands = [*np.moveaxis(_windowed(colors, window), -1, 0)]
    bands += [] if opacity is None else [_windowed(opacity, None)]
    return Image.merge(mode, [Image.fromarray(band) for band in bands])


def _opaque(image, mode, changes, background):
    if image.has_transparency_data:
        image = image.convert("RGBA")
        if image.getextrema()[-1][0] < 255:
            changes.add(Changes(transparent=1))
        image = Image.alpha_composite(Image.new("RGBA", image.size, (*background, 255)), image)
    return image if image.mode == mode else image.convert(mode)


def _windowed(values, window):
    """16-bit values as 8-bit levels, rounded."""
    return _levels_of(*(window or (0, HIGHEST)))[values]


@functools.cache
def _levels_of(low, high):
    values = np.clip(np.arange(HIGHEST + 1), low, high).astype("float64")
    return np.floor((values - low) * (255 / (high - low)) + 0.5).astype("uint8")


def _scaling(window):
    return (
        "divided by 257" if window is None else f"those from {window[0]:,} to {window[1]:,} scaled to 8 bits"
    )


def _color(background):
    return "white" if tuple(background) == WHITE else "#{:02x}{:02x}{:02x}".format(*background)
