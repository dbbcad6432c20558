"""Augmentation of whole batches, each image with its own random numbers: `augment`.

The augmentations are the modules of `operations`; their settings are the fields of `Augmentation`.
"""

from keras_vit.training.augmentation.augment import (
    augment,
    check_fits,
    flip_column,
    num_uniforms,
    only_flips,
)
from keras_vit.training.augmentation.settings import ALTERNATING, Augmentation, calmer

__all__ = [
    "ALTERNATING",
    "Augmentation",
    "augment",
    "calmer",
    "check_fits",
    "flip_column",
    "num_uniforms",
    "only_flips",
]
