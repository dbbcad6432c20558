"""A random part of an image, resized: the augmentation that comes before all others."""

import dataclasses
import math

import numpy as np

from keras_vit.io.resampling import resize_part


@dataclasses.dataclass(frozen=True)
class RandomCrop:
    """Cuts a part of random area and shape out of an image, and resizes it with antialiasing.

    Reference: Szegedy et al. (2015), https://arxiv.org/abs/1409.4842, section 6; where a part does not fit
    into the image, its longer side is shortened, instead of drawing again.

    Attributes:
        area: float in (0, 1], the smallest share of the image's area; the largest is 1.
        ratio: float from 1, the largest ratio of width to height; the smallest is its inverse.

    Example:
        >>> image = np.zeros((48, 64, 3), "uint8")
        >>> RandomCrop(0.25)(image, np.array([0.5, 0.5, 0.0, 0.0]), (32, 32)).shape
        (32, 32, 3)
    """

    UNIFORMS = 4  # random numbers for each image

    area: float
    ratio: float = 4 / 3

    def __call__(self, image: np.ndarray, uniforms: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Returns a part of a uint8 image `(height, width, channels)` in `(height, width)` pixels."""
        height, width = image.shape[:2]
        return resize_part(image, self.box(width, height, uniforms), size)

    def box(self, columns: int, rows: int, uniforms: np.ndarray) -> tuple[float, float, float, float]:
        """Returns left, top, right and bottom of the part, in pixels that need not be whole."""
        u_area, u_ratio, u_left, u_top = (float(number) for number in uniforms)
        area = (self.area + (1 - self.area) * u_area) * columns * rows
        ratio = math.exp((2 * u_ratio - 1) * math.log(self.ratio))
        width, height = min(math.sqrt(area * ratio), columns), min(math.sqrt(area / ratio), rows)
        left, top = u_left * (columns - width), u_top * (rows - height)
        return left, top, min(left + width, columns), min(top + height, rows)
