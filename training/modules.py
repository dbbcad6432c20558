"""Modules of a package by name: recipes, searches, experiments."""

import importlib
import pkgutil
import types
from collections.abc import Sequence

from keras_vit.errors import InputError, did_you_mean


def module_names(package: str) -> list[str]:
    """Returns the sorted names of the modules of a package, such as `"keras_vit.training.recipes"`."""
    return sorted(module.name for module in pkgutil.iter_modules(importlib.import_module(package).__path__))


def find_module(package: str, name: str, noun: str) -> types.ModuleType:
    """Returns a module of a package, or raises InputError, whose message calls such a module `noun`."""
    check_name(name, noun, module_names(package))
    return importlib.import_module(f"{package}.{name}")


def check_name(name: str, noun: str, known: Sequence[str], words: str | None = None) -> None:
    """Raises InputError where a name is not one of the known ones, with the nearest and all, or `words`."""
    if name not in known:
        expected = words or f"one of {', '.join(known)}"
        raise InputError(f"Unknown {noun} {name!r}.{did_you_mean(name, known)} Expected {expected}.")
