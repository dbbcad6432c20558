"""Distillation: a model learns what a larger one, its teacher, answers."""

from keras_vit.training.distillation.model import Distillation
from keras_vit.training.distillation.of_recipe import with_teacher

__all__ = ["Distillation", "with_teacher"]
