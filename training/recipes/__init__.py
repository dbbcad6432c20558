"""Recipes that come with the package, one module each."""

import importlib
import pkgutil

from keras_vit.errors import InputError


def recipe_names():
    """Returns the names of all recipes, sorted."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def find_recipe(name):
    """Returns a module of this package, with its `RECIPE` and its docstring.

    Raises:
        InputError: there is none of that name.
    """
    if name not in recipe_names():
        raise InputError(f"Unknown recipe {name!r}. Expected one of {', '.join(recipe_names())}.")
    return importlib.import_module(f"{__name__}.{name}")
