"""Searches that come with the package, one module each."""

from pathlib import Path

from keras_vit.training.modules import find_module, module_names


def search_names():
    """Returns the names of all searches, sorted."""
    return module_names(__name__)


def find_search(name):
    """Returns a module of this package, with its `SEARCH` and its docstring.

    Raises:
        InputError: there is none of that name.
    """
    return find_module(__name__, name, "search")


def read_search(source):
    """Returns `(name, search)` of a search.

    Args:
        source: Search, the name of one of this package, or the path of a `.py` file that defines `SEARCH`
            (its code is run).

    Raises:
        InputError: there is none.
    """
    from keras_vit.training.recipe_file import load_object
    from keras_vit.training.tuning.space.search import Search

    if isinstance(source, Search):
        return "own", source
    if Path(source).suffix == ".py":
        return str(source), load_object(source, "SEARCH", Search)
    return source, find_search(source).SEARCH
