"""Searches for recipes, one process per trial; started by `keras_vit.training.tuning.tune`."""

from keras_vit.training.tuning.search import Search

__all__ = ["Search"]
