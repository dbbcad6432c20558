"""Which augmentations are on, and how strong they are."""

import dataclasses
import math

from keras_vit.errors import InputError


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """What happens to each training image. The default is nothing.

    Attributes:
        flip: bool, mirror left-right with probability 0.5.
        crop_padding: int, pixels of black added on each side before a crop of the image's own size.
        rotation: float in [0, 180], degrees; the angle is drawn between it and its negative.
        randaugment_layers: int, operations of RandAugment in a row.
        randaugment_magnitude: float in [0, 10], their mean strength.
        mixup_alpha: float, MixUp's Beta(alpha, alpha); 0 is off. With CutMix also on, each image
            gets one of the two, with probability 0.5.
        cutmix_alpha: float, CutMix's Beta(alpha, alpha); 0 is off.
        erasing_rate: float in [0, 1], probability that a rectangle is replaced by noise.

    Raises:
        InputError: a value out of its range, or of another type.
    """

    flip: bool = False
    crop_padding: int = 0
    rotation: float = 0.0
    randaugment_layers: int = 0
    randaugment_magnitude: float = 9.0
    mixup_alpha: float = 0.0
    cutmix_alpha: float = 0.0
    erasing_rate: float = 0.0

    def __post_init__(self):
        if not isinstance(self.flip, bool):
            raise InputError(f"Expected flip to be True or False, received {self.flip!r}.")
        for field, whole, high in _RANGES:
            _check(field, getattr(self, field), whole, high)


_RANGES = (
    ("crop_padding", True, math.inf),
    ("rotation", False, 180),
    ("randaugment_layers", True, math.inf),
    ("randaugment_magnitude", False, 10),
    ("mixup_alpha", False, math.inf),
    ("cutmix_alpha", False, math.inf),
    ("erasing_rate", False, 1),
)


def _check(field, value, whole, high):
    kinds = int if whole else (int, float)
    fits = isinstance(value, kinds) and not isinstance(value, bool)
    if not fits or not 0 <= value <= high or math.isinf(value):
        kind = "a whole number" if whole else "a number"
        limits = "of at least 0" if high == math.inf else f"from 0 to {high}"
        raise InputError(f"Expected {field} to be {kind} {limits}, received {value!r}.")
