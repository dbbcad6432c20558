"""Finds the model to examine."""

import importlib
import os
import sys
from pathlib import Path

import keras

from keras_vit.errors import InputError, first_line
from keras_vit.io.model_archive import load_model

EXPECTED = "Expected a run folder, a .keras file, or module:function that returns a Keras model"


def find_model(name: str) -> keras.Model:
    """Returns the model in a run folder or a `.keras` file, or of a `module:name` here or installed.

    That is the name of a model, or of a function without arguments that returns one; the module's code runs.
    """
    path = Path(name)
    if (path / "model.keras").is_file():
        return load_model(path / "model.keras")
    if path.suffix == ".keras":
        return load_model(path)
    if path.exists() or ":" not in name:
        raise InputError(f"{EXPECTED}, received {name}.")
    return _import_model(name)


def _import_model(name):
    module, _, attribute = name.partition(":")
    folder = os.getcwd()
    sys.path.insert(0, folder)  # as python -m does
    try:
        model = getattr(importlib.import_module(module), attribute)
        model = model if isinstance(model, keras.Model) else model()
    except Exception as error:  # the module's own code, which may raise anything
        raise InputError(f"{name} cannot be examined: {first_line(error)}.") from error
    finally:
        sys.path.remove(folder)
    if not isinstance(model, keras.Model):
        raise InputError(f"{EXPECTED}, but {name} returns a {type(model).__name__}.")
    return model
