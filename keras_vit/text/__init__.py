"""Text for training and export: vocabulary, windows, sampling, generation."""

from keras_vit.text.generation import generate
from keras_vit.text.vocabulary import Vocabulary

__all__ = ["Vocabulary", "generate"]
