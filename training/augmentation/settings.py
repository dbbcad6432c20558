"""Which augmentations are on, and how strong they are."""

import dataclasses
from typing import Annotated

from keras_vit.constraints import Choices, OnlyWith, Range, check_fields

ALTERNATING = "alternating"  # flip
STRONG = ("trivial_augment", "randaugment_layers", "mixup_alpha", "cutmix_alpha")


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """Changes to each training image. The default is none.

    These fields are also fields of `keras_vit.training.ImageRecipe`, which inherits them.

    Attributes:
        flip: bool, mirror left-right with probability 0.5; or `"alternating"`: each image in every other
            epoch, half of them beginning with the first.
        crop_padding: int, pixels added on each side before a crop of the image's own size.
        crop_fill: what the added pixels are: `"zero"` (black) or `"reflect"` (the image, mirrored at its
            border).
        rotation: float in [0, 180], degrees; the angle is drawn between it and its negative.
        zoom: float in [0, 0.9]; the image is scaled about its centre by a factor between 1 - zoom and
            1 + zoom, with black around it where it becomes smaller.
        brightness, contrast, saturation: floats in [0, 1], colour jitter; factors are drawn between 1 minus
            the value and 1 plus it. Saturation needs RGB images.
        hue: float in [0, 0.5], colour jitter; all colours are turned by a share of the colour circle between
            it and its negative. Needs RGB images.
        trivial_augment: bool, one operation of TrivialAugment (Wide) of random strength, before RandAugment.
        randaugment_layers: int, operations of RandAugment in a row.
        randaugment_magnitude: float in [0, 10], their mean strength.
        mixup_alpha: float, MixUp's Beta(alpha, alpha); 0 is off. With CutMix also on, each image
            gets one of the two, with probability 0.5.
        cutmix_alpha: float, CutMix's Beta(alpha, alpha); 0 is off.
        jpeg_quality: int from 1 to 100 or None; each image loses what it would in a JPEG file of a quality
            between it and 100, for pictures that arrive compressed.
        erasing_rate: float in [0, 1], probability that a rectangle is replaced by noise.

    Raises:
        InputError: a value out of its range, of another type, or without an effect.

    Reference: alternating flip: Jordan 2024, section 3.6, https://arxiv.org/abs/2404.00498
    """

    flip: Annotated[bool | str, Choices(False, True, ALTERNATING)] = False
    crop_padding: Annotated[int, Range(0, 8192)] = 0
    crop_fill: Annotated[str, Choices("zero", "reflect"), OnlyWith("crop_padding")] = "zero"
    rotation: Annotated[float, Range(0, 180)] = 0.0
    zoom: Annotated[float, Range(0, 0.9)] = 0.0
    brightness: Annotated[float, Range(0, 1)] = 0.0
    contrast: Annotated[float, Range(0, 1)] = 0.0
    saturation: Annotated[float, Range(0, 1)] = 0.0
    hue: Annotated[float, Range(0, 0.5)] = 0.0
    trivial_augment: bool = False
    randaugment_layers: Annotated[int, Range(0, 100)] = 0
    randaugment_magnitude: Annotated[float, Range(0, 10), OnlyWith("randaugment_layers")] = 9.0
    mixup_alpha: Annotated[float, Range(0, 1e6)] = 0.0
    cutmix_alpha: Annotated[float, Range(0, 1e6)] = 0.0
    jpeg_quality: Annotated[int | None, Range(1, 100)] = None
    erasing_rate: Annotated[float, Range(0, 1)] = 0.0

    def __post_init__(self):
        check_fields(self)


def calmer(augmentation: Augmentation) -> Augmentation:
    """Returns the augmentation of the last epochs: without RandAugment, TrivialAugment, MixUp and CutMix."""
    off = {field.name: field.default for field in dataclasses.fields(Augmentation) if field.name in STRONG}
    return dataclasses.replace(augmentation, **off, randaugment_magnitude=Augmentation.randaugment_magnitude)
