"""Recipes that come with the package, one module each."""

from keras_vit.training.modules import find_module, module_names


def recipe_names():
    """Returns the names of all recipes, sorted."""
    return module_names(__name__)


def find_recipe(name):
    """Returns a module of this package, with its `RECIPE` and its docstring.

    Raises:
        InputError: there is none of that name.
    """
    return find_module(__name__, name, "recipe")
