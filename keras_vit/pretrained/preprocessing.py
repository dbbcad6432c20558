"""The preparation of images that pretrained weights expect."""

import dataclasses
import math
import typing
from typing import Annotated

import keras
import numpy as np
from PIL import Image

from keras_vit.constraints import Choices, Range, check_value
from keras_vit.errors import InputError
from keras_vit.layers._options import Pixels
from keras_vit.layers._pairs import as_pair

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
Interpolation = Annotated[str, Choices("nearest", "bilinear", "bicubic", "lanczos")]
CropMode = Annotated[str, Choices("center", "shortest_edge", "squash", "border")]
Mean = Annotated[float, Range(-1e6, 1e6)]  # of pixels in [0, 1], as the deviation
Deviation = Annotated[float, Range(1e-12, 1e6)]


@dataclasses.dataclass(frozen=True)
class Preprocessing:
    """Resizes and crops a decoded image to the input of a model, which applies mean and std itself.

    The result for the same decoded pixels equals that of timm's evaluation pipeline and of transformers'
    image processors that use Pillow: all resize with Pillow, which antialiases. Other decoders and
    torchvision may differ by one grey level. Transparency is ignored.

    Args:
        image_size: `(height, width)` in pixels.
        crop_ratio: float from 0.01 to 100, side of the crop divided by the side of the resized image.
        crop_mode: `"center"` (resizes the shorter side and crops the center), `"shortest_edge"` (the same
            with transformers' rounding of the crop's corner), `"squash"` (resizes both sides) or `"border"`
            (resizes the longer side and pads with the mean).
        interpolation: `"nearest"`, `"bilinear"`, `"bicubic"` or `"lanczos"`.
        mean, std: tuples of floats for pixels in [0, 1], one per channel (1 or 3).
        rounded: bool, whether resized pixels are rounded to whole grey levels; not by transformers' DINOv3.

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

    @classmethod
    def stretching(cls, image_size, mean, std):
        """Returns the preprocessing of training in this package: both sides are resized, as on a phone."""
        return cls(as_pair(image_size, "image_size"), 1.0, "squash", "bilinear", tuple(mean), tuple(std))

    @classmethod
    def from_json(cls, fields, where):
        """Reads the result of `dataclasses.asdict`; `where` is what messages call its origin."""
        names = {field.name for field in dataclasses.fields(cls)}
        if not isinstance(fields, dict) or set(fields) != names:
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
            image = image.convert("L" if len(self.mean) == 1 else "RGB")
        else:
            image = _as_image(image)
        scaled = [math.floor(side / self.crop_ratio) for side in self.image_size]
        size = _resized(image.size[::-1], scaled, self.crop_mode)
        array = self._resize(image, size)
        fill = [round(255 * v) for v in self.mean] if self.crop_mode == "border" else 0
        return _center(
            array, self.image_size, fill, math.floor if self.crop_mode == "shortest_edge" else round
        )

    def _resize(self, image, size):
        resample = getattr(Image.Resampling, self.interpolation.upper())
        if self.rounded:
            array = np.asarray(image if size == image.size[::-1] else image.resize(size[::-1], resample))
            return array if array.ndim == 3 else array[..., None]
        channels = [channel.convert("F").resize(size[::-1], resample) for channel in image.split()]
        return np.stack(channels, axis=-1)

    def for_size(self, image_size: int | tuple[int, int]) -> "Preprocessing":
        """Returns a copy for another image size, an int or `(height, width)` in pixels."""
        return dataclasses.replace(self, image_size=as_pair(image_size, "image_size"))

    def check(self, where="the preprocessing"):
        """Raises InputError for a field of another type or out of its range; `where` names their origin."""
        for field, annotation in typing.get_type_hints(type(self), include_extras=True).items():
            check_value(f"{field} of {where}", getattr(self, field), annotation)


def attach_preprocessing(model: keras.Model, preprocessing: Preprocessing):
    """Sets the attribute `preprocessing`, which Keras does not save: in a run it is preprocessing.json."""
    model.preprocessing = preprocessing


def attached_preprocessing(model: keras.Model) -> Preprocessing | None:
    """Returns the `Preprocessing` that was attached to a model."""
    return getattr(model, "preprocessing", None)


def _as_image(array):
    array = np.asarray(array)
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[-1] not in (1, 3):
        raise InputError(
            "Expected a uint8 image (height, width, channels) of 1 or 3 channels, received "
            f"{array.dtype} {array.shape}."
        )
    return Image.fromarray(array if array.shape[-1] == 3 else array[..., 0])


def _resized(size, scaled, mode):
    """Returns height and width before the crop, rounded as torchvision and timm do."""
    if mode == "squash":
        return tuple(scaled)
    if mode == "shortest_edge" or mode == "center" and scaled[0] == scaled[1]:
        short, long, edge = min(size), max(size), min(scaled)
        other = int(edge * long / short)
        return (edge, other) if size[0] <= size[1] else (other, edge)
    ratios = [old / new for old, new in zip(size, scaled, strict=True)]
    ratio = max(ratios) if mode == "border" else min(ratios)
    return tuple(round(side / ratio) for side in size)


def _center(array, size, fill, rounded):
    height, width, channels = array.shape
    rows, columns = max(height, size[0]), max(width, size[1])
    if (rows, columns) != (height, width):
        padded = np.full((rows, columns, channels), fill, array.dtype)
        top, left = (rows - height) // 2, (columns - width) // 2
        padded[top : top + height, left : left + width] = array
        array = padded
    top, left = rounded((rows - size[0]) / 2), rounded((columns - size[1]) / 2)
    return array[top : top + size[0], left : left + size[1]]
