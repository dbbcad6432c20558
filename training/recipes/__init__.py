"""Recipes that come with the package, one module each."""

from keras_vit.training.modules import find_module


def find_recipe(name: str):
    """Returns a module of this package, with its `RECIPE`, or raises InputError."""
    return find_module(__name__, name, "recipe")
