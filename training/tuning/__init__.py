"""Searches for recipes, one process per trial; started by `keras_vit.training.tuning.search_run`."""

from keras_vit.training.tuning.space.search import Search

__all__ = ["Search"]
