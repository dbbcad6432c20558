"""Augmentation of whole batches, each image by its own random numbers: `augment`."""

from training.augmentation.augment import augment, num_uniforms
from training.augmentation.settings import Augmentation

__all__ = ["Augmentation", "augment", "num_uniforms"]
