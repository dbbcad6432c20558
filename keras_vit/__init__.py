"""Image and character models in Keras, from training to a verified file for the phone.

The names in `__init__.pyi` are public; subpackages are imported when they are first used.
"""

import importlib

import lazy_loader
from wrapt import register_post_import_hook

__version__ = "0.2.0"
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

# Saved models name our layers, which are registered with Keras as soon as both packages are imported.
register_post_import_hook(lambda keras: importlib.import_module("keras_vit.layers"), "keras")
