"""Image and character models in Keras, from training to a verified file for the phone."""

import importlib
from typing import TYPE_CHECKING

from wrapt import register_post_import_hook

from keras_vit.errors import ConditionError, InputError
from keras_vit.lazy import lazy_names

__version__ = "0.2.0"
__all__ = ["ConditionError", "InputError", "export", "layers", "models", "pretrained", "training"]

if TYPE_CHECKING:
    from keras_vit import export, layers, models, pretrained, training
else:  # a type checker would accept every attribute
    _subpackages = dict.fromkeys(("export", "layers", "models", "pretrained", "training"))
    __getattr__, _ = lazy_names(__name__, _subpackages)


def __dir__():
    return [*__all__, "__version__"]


# Saved models name our layers, which are registered with Keras as soon as both packages are imported.
register_post_import_hook(lambda keras: importlib.import_module("keras_vit.layers"), "keras")
