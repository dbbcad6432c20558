"""Training."""

import importlib

_NAMES = {"ImageRecipe": "recipe", "TextRecipe": "recipe", "Recipe": "recipe"}


def __getattr__(name):
    if name not in _NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_NAMES[name]}"), name)
