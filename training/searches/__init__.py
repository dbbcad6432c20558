"""Searches that come with the package, one module each."""

import importlib
import pkgutil

from keras_vit.errors import InputError


def search_names():
    """Returns the names of all searches, sorted."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def find_search(name):
    """Returns a module of this package, with its `SEARCH` and its docstring.

    Raises:
        InputError: there is none of that name.
    """
    if name not in search_names():
        raise InputError(f"Unknown search {name!r}. Expected one of {', '.join(search_names())}.")
    return importlib.import_module(f"{__name__}.{name}")
