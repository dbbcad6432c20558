"""Experiments of the reports that this package started from, one module each."""

import importlib
import pkgutil

from keras_vit.errors import InputError


def experiment_names():
    """Returns the names of all experiments, sorted."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def find_experiment(name):
    """Returns a module of this package, with its `EXPERIMENT` and its docstring.

    Raises:
        InputError: there is none of that name.
    """
    if name not in experiment_names():
        raise InputError(f"Unknown experiment {name!r}. Expected one of {', '.join(experiment_names())}.")
    return importlib.import_module(f"{__name__}.{name}")
