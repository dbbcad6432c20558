"""Searches for recipes, one process per trial; started by `training.tuning.tune`."""

from training.tuning.search import Search

__all__ = ["Search"]
