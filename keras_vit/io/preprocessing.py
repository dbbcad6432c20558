"""How a decoded image becomes the input of a model: resized and cropped, the same way everywhere."""

import dataclasses
import functools
import math
import typing
from typing import Annotated

import numpy as np
from PIL import Image

from keras_vit.constraints import Choices, Range, check_value
from keras_vit.errors import InputError
from keras_vit.pairs import Pixels, as_pair

if typing.TYPE_CHECKING:  # what prepares images for a TFLite file needs no Keras
    import keras

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
Interpolation = Annotated[str, Choices("nearest", "bilinear", "bicubic", "lanczos")]
CropMode = Annotated[str, Choices("center", "shortest_edge", "squash", "border")]
Mean = Annotated[float, Range(-1e6, 1e6)]  # of pixels in [0, 1], as the deviation
Deviation = Annotated[float, Range(1e-12, 1e6)]
GEOMETRIES = {"center_crop": "center", "letterbox": "border", "stretch": "squash"}  # and the mode of each
Geometry = Annotated[str, Choices(*GEOMETRIES)]
GREY = 0.5  # of the border that a letterbox adds
WHITE = (255, 255, 255)
Level = Annotated[int, Range(0, 255)]
Value = Annotated[int, Range(0, 65_535)]  # of an image of 16 bits
_LATER = {"fill", "background", "window"}  # fields that files of earlier versions lack
_LONG = 64  # times the pixels of the result: what would be cropped is not resized first


@dataclasses.dataclass(frozen=True)
class Preprocessing:
    """Resizes and crops a decoded image to the input of a model, which applies mean and std itself.

    The result for the same decoded pixels equals that of timm's evaluation pipeline and of transformers'
    image processors that use Pillow: all resize with Pillow, which antialiases. Other decoders and
    torchvision may differ by one grey level. `background` and `window` are obeyed where files are decoded.

    Args:
        image_size: `(height, width)` in pixels.
        crop_ratio: float from 0.01 to 100, side of the crop divided by the side of the resized image.
        crop_mode: `"center"` (resizes the shorter side and crops the center), `"shortest_edge"` (the same
            with transformers' rounding of the crop's corner), `"squash"` (resizes both sides) or `"border"`
            (resizes the longer side and pads).
        interpolation: `"nearest"`, `"bilinear"`, `"bicubic"` or `"lanczos"`.
        mean, std: tuples of floats for pixels in [0, 1], one per channel (1 or 3).
        rounded: bool, whether resized pixels are rounded to whole grey levels; not by transformers' DINOv3.
        fill: float in [0, 1], the grey that `"border"` pads with; None pads with the mean.
        background: `(red, green, blue)` in [0, 255], on which transparent images are laid.
        window: `(low, high)` in [0, 65535], the values of 16-bit images that become black and white; None for
            all of them.

    Example:
        >>> import numpy as np
        >>> prepare = Preprocessing(image_size=(32, 32), crop_ratio=0.875)
        >>> prepare(np.zeros((50, 40, 3), "uint8")).shape
        (32, 32, 3)
    """

    image_size: tuple[Pixels, Pixels] = (224, 224)
    crop_ratio: Annotated[float, Range(0.01, 100)] = 1.0
    crop_mode: CropMode = "center"
    interpolation: Interpolation = "bicubic"
    mean: tuple[Mean] | tuple[Mean, Mean, Mean] = (0.5, 0.5, 0.5)
    std: tuple[Deviation] | tuple[Deviation, Deviation, Deviation] = (0.5, 0.5, 0.5)
    rounded: bool = True
    fill: Annotated[float | None, Range(0, 1)] = None
    background: tuple[Level, Level, Level] = WHITE
    window: tuple[Value, Value] | None = None

    @classmethod
    def of(cls, geometry: Geometry, image_size: int | tuple[int, int], mean=(0.5,) * 3, std=(0.5,) * 3):
        """Returns how images are prepared for a model that is trained here.

        Args:
            geometry: `"center_crop"` (the short side is resized, the rest of the long one cropped),
                `"letterbox"` (the long side is resized, the rest is grey) or `"stretch"` (both sides are
                resized), with antialiased bilinear interpolation.
            image_size: int or `(height, width)` in pixels.
            mean, std: floats, as those of the class.

        Example:
            >>> Preprocessing.of("letterbox", 64).words
            'the whole image, resized to fit into 64 x 64 (bilinear), the rest grey'
        """
        check_value("geometry", geometry, Geometry)
        size, mode = as_pair(image_size, "image_size"), GEOMETRIES[geometry]
        fill = GREY if mode == "border" else None
        return cls(size, 1.0, mode, "bilinear", tuple(mean), tuple(std), fill=fill)

    @property
    def geometry(self) -> str:
        """Which of `GEOMETRIES` it is, whatever part of the image is cropped."""
        mode = "center" if self.crop_mode == "shortest_edge" else self.crop_mode
        return next(name for name, known in GEOMETRIES.items() if known == mode)

    @property
    def words(self) -> str:
        """What it does to an image, for people: "the centre square, resized to 224 x 224 (bilinear)"."""
        height, width = self.image_size
        resized = f"{height} x {width} ({self.interpolation})"
        part = "" if self.crop_ratio == 1 else f", of it the middle {100 * self.crop_ratio:.4g} %"
        if self.crop_mode == "border":
            rest = "the mean colour" if self.fill is None else "grey"
            return f"the whole image, resized to fit into {resized}, the rest {rest}"
        if self.crop_mode == "squash":
            return f"the whole image{part}, stretched to {resized}"
        shape = "square" if height == width else f"{width}:{height} rectangle"
        return f"the centre {shape}{part}, resized to {resized}"

    @classmethod
    def from_json(cls, fields, where):
        """Reads the result of `dataclasses.asdict`; `where` is what messages call its origin."""
        names = {field.name for field in dataclasses.fields(cls)}
        if not isinstance(fields, dict) or not names - _LATER <= set(fields) <= names:
            raise InputError(f"Expected an object with {', '.join(sorted(names))} in {where}.")
        known = cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()})
        known.check(where)
        return known

    def __call__(self, image: Image.Image | np.ndarray) -> np.ndarray:
        """Resizes and crops an image.

        Args:
            image: a Pillow image, which is converted to RGB, or to grey where `mean` has one value; or a
                uint8 array `(height, width, channels)`.

        Returns:
            Array `(*image_size, channels)` in [0, 255]: uint8, or float32 where `rounded` is False.

        Raises:
            InputError: an array of another shape or type, or a field out of its range.
        """
        self.check()
        if isinstance(image, Image.Image):
            return self._prepared(image.convert("L" if len(self.mean) == 1 else "RGB"))
        array = _checked(image)
        if array.shape[-1] == 3:
            return self._prepared(Image.fromarray(array))
        channels = [self._prepared(Image.fromarray(channel)) for channel in np.moveaxis(array, -1, 0)]
        return np.concatenate(channels, axis=-1)

    def _prepared(self, image):
        scaled = [math.floor(side / self.crop_ratio) for side in self.image_size]
        size = _resized(image.size[::-1], scaled, self.crop_mode)
        spans = [_span(*sides, self.crop_mode) for sides in zip(size, self.image_size, strict=True)]
        array = self._resized(image, size, *spans)
        array = array if array.ndim == 3 else array[..., None]
        return _padded(array, self.image_size, self.border_levels(array.shape[-1]))

    def _resized(self, image, size, rows, columns):
        """The image resized to `size`, of it some rows and columns, each the first and their number."""
        (top, height), (left, width) = rows, columns
        crop = slice(top, top + height), slice(left, left + width)
        if self.rounded and size == image.size[::-1]:
            return np.asarray(image)[crop]
        steps = [{"size": size[::-1]}]
        if math.prod(size) > _LONG * height * width:  # as a whole it might not fit into memory
            x, right = _source(columns, size[1], image.width)
            y, bottom = _source(rows, size[0], image.height)
            steps = [{"size": (width, image.height), "box": (x, 0, right, image.height)}]
            steps += [{"size": (width, height), "box": (0, y, width, bottom)}]
            crop = ()
        channels = [image] if self.rounded else [channel.convert("F") for channel in image.split()]
        for step in steps:
            resample = getattr(Image.Resampling, self.interpolation.upper())
            channels = [channel.resize(resample=resample, **step) for channel in channels]
        return np.asarray(channels[0] if self.rounded else np.stack(channels, axis=-1))[crop]

    def border_levels(self, channels: int) -> list[int]:
        """Returns the value in [0, 255] of each channel where the image does not reach."""
        levels = [0]
        if self.crop_mode == "border":
            levels = [round(255 * v) for v in (self.mean if self.fill is None else (self.fill,))]
        return levels if len(levels) == channels else [round(sum(levels) / len(levels))] * channels

    def for_size(self, image_size: int | tuple[int, int]) -> "Preprocessing":
        """Returns a copy for another image size, an int or `(height, width)` in pixels."""
        return dataclasses.replace(self, image_size=as_pair(image_size, "image_size"))

    def check(self, where="the preprocessing"):
        """Raises InputError for a field of another type or out of its range; `where` names their origin."""
        for field, annotation in _annotations(type(self)).items():
            check_value(f"{field} of {where}", getattr(self, field), annotation)


@functools.cache
def _annotations(kind):
    return typing.get_type_hints(kind, include_extras=True)


def attach_preprocessing(model: "keras.Model", preprocessing: Preprocessing):
    """Sets the attribute `preprocessing`, which Keras does not save: in a run it is preprocessing.json."""
    model.preprocessing = preprocessing


def attached_preprocessing(model: "keras.Model") -> Preprocessing | None:
    """Returns the `Preprocessing` that was attached to a model, or None."""
    known = getattr(model, "preprocessing", None)  # which in a user's own class may be anything
    return known if isinstance(known, Preprocessing) else None


def _checked(array):
    array = np.asarray(array)
    if array.dtype != np.uint8 or array.ndim != 3 or 0 in array.shape:
        raise InputError(
            f"Expected a uint8 image (height, width, channels), received {array.dtype} {array.shape}."
        )
    return array


def _resized(size, scaled, mode):
    """Returns height and width before the crop, rounded as torchvision and timm do."""
    if mode == "squash":
        return tuple(max(side, 1) for side in scaled)
    if mode == "shortest_edge" or mode == "center" and scaled[0] == scaled[1]:
        short, long, edge = min(size), max(size), max(min(scaled), 1)
        other = int(edge * long / short)
        return (edge, other) if size[0] <= size[1] else (other, edge)
    ratios = [old / new for old, new in zip(size, scaled, strict=True)]
    ratio = max(ratios) if mode == "border" else min(ratios)
    return tuple(max(round(side / ratio), 1) for side in size)


def _source(span, resized, side):
    """Where a part of a resized side lies in the original one: its ends in pixels."""
    first, count = span
    return first * side / resized, min((first + count) * side / resized, side)


def _span(resized, final, mode):
    """Where the crop of one side begins, and how long it is: no longer than the side."""
    first = math.floor if mode == "shortest_edge" else round
    return (first((resized - final) / 2), final) if resized > final else (0, resized)


def _padded(array, size, fill):
    height, width, channels = array.shape
    if (height, width) == tuple(size):
        return array
    padded = np.full((*size, channels), fill, array.dtype)
    top, left = (size[0] - height) // 2, (size[1] - width) // 2
    padded[top : top + height, left : left + width] = array
    return padded
