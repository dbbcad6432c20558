"""Image and character models in Keras, from training to a verified file for the phone."""

import importlib

from keras_vit.errors import ConditionError, InputError

__version__ = "0.1.0"
__all__ = ["ConditionError", "InputError", "layers", "models", "pretrained"]


def __getattr__(name):
    """Imports `layers`, `models` and `pretrained`, and Keras with them, when they are first asked for."""
    if name in ("layers", "models", "pretrained"):
        return importlib.import_module(f"keras_vit.{name}")
    raise AttributeError(f"module 'keras_vit' has no attribute {name!r}")
