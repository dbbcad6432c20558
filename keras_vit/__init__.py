"""Image and character models in Keras, from training to a verified file for the phone."""

import importlib
from typing import TYPE_CHECKING

from wrapt import register_post_import_hook

from keras_vit.errors import ConditionError, InputError

__version__ = "0.1.0"
__all__ = ["ConditionError", "InputError", "export", "layers", "models", "pretrained", "training"]

if TYPE_CHECKING:
    from keras_vit import export, layers, models, pretrained, training
else:  # a type checker would accept every attribute

    def __getattr__(name):
        """Imports a subpackage, and Keras with it, when it is first used."""
        if name in __all__:
            return importlib.import_module(f"keras_vit.{name}")
        raise AttributeError(f"module 'keras_vit' has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *__all__})


# Saved models name our layers, which are registered with Keras as soon as both packages are imported.
register_post_import_hook(lambda keras: importlib.import_module("keras_vit.layers"), "keras")
