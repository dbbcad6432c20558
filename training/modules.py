"""Modules of a package by name: recipes, searches, experiments."""

import importlib
import pkgutil
import types

from keras_vit.errors import InputError


def module_names(package: str) -> list[str]:
    """Returns the sorted names of the modules of a package, such as `"keras_vit.training.recipes"`."""
    return sorted(module.name for module in pkgutil.iter_modules(importlib.import_module(package).__path__))


def find_module(package: str, name: str, noun: str) -> types.ModuleType:
    """Returns a module of a package, or raises InputError, whose message calls such a module `noun`."""
    known = module_names(package)
    if name not in known:
        raise InputError(f"Unknown {noun} {name!r}. Expected one of {', '.join(known)}.")
    return importlib.import_module(f"{package}.{name}")
