"""Augmentation of whole batches, each image by its own random numbers: `augment`."""

from keras_vit.training.augmentation.augment import augment, check_fits, num_uniforms
from keras_vit.training.augmentation.settings import Augmentation

__all__ = ["Augmentation", "augment", "check_fits", "num_uniforms"]
