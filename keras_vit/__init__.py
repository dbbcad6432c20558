"""Image and character models in Keras, from training to a verified file for the phone."""

from keras_vit import layers, models
from keras_vit.errors import ConditionError, InputError

__version__ = "0.1.0"
__all__ = ["ConditionError", "InputError", "layers", "models"]
