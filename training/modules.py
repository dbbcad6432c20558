"""Modules of a package by name: recipes, searches, experiments."""

import importlib
import pkgutil

from keras_vit.errors import InputError


def module_names(package):
    """Returns the names of a package's modules, sorted.

    Args:
        package: str, such as `"keras_vit.training.recipes"`.
    """
    return sorted(module.name for module in pkgutil.iter_modules(importlib.import_module(package).__path__))


def find_module(package, name, noun):
    """Returns a module of a package.

    Args:
        package: str.
        name: str, of the module.
        noun: str, what messages call a module of this package.

    Raises:
        InputError: there is none of that name.
    """
    known = module_names(package)
    if name not in known:
        raise InputError(f"Unknown {noun} {name!r}. Expected one of {', '.join(known)}.")
    return importlib.import_module(f"{package}.{name}")
