"""Recipes that come with the package, one module each."""

import functools

from keras_vit.training.modules import find_module, module_names

recipe_names = functools.partial(module_names, __name__)
find_recipe = functools.partial(find_module, __name__, noun="recipe")  # such a module has a `RECIPE`
