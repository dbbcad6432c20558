"""Searches that come with the package, one module each."""

import functools
from pathlib import Path

from keras_vit.training.modules import check_name, find_module, module_names
from keras_vit.training.recipes import find_recipe, recipe_names

search_names = functools.partial(module_names, __name__)
find_search = functools.partial(find_module, __name__, noun="search")  # such a module has a `SEARCH`


def read_search(source):
    """Returns the name of a search for recipes and its Search.

    `source` is a Search, a name of this package, that of a recipe, of which what the user varies is searched,
    or the path of a `.py` file that defines `SEARCH` (its code is run).
    """
    from keras_vit.training.recipe_file import load_object
    from keras_vit.training.tuning import Search

    if isinstance(source, Search):
        return "own", source
    if Path(source).suffix == ".py":
        return str(source), load_object(source, "SEARCH", Search)
    if source in search_names():
        return source, find_search(source).SEARCH
    check_search_name(source)
    return source, Search(find_recipe(source).RECIPE, lambda hp: None)


def check_search_name(name: str) -> None:
    """Raises InputError where a name is neither that of a search nor that of a recipe."""
    check_name(str(name), "search", [*search_names(), *recipe_names()], known_names())


def known_names() -> str:
    """Returns the names that `read_search` takes, in words."""
    recipes = [name for name in recipe_names() if name not in search_names()]
    return f"one of {', '.join(search_names())}, or with fields to vary a recipe: {', '.join(recipes)}"
