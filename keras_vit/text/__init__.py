"""What reads and writes text: vocabulary, windows, sampling. Training and export both use it."""

from keras_vit.text.generation import generate
from keras_vit.text.vocabulary import Vocabulary

__all__ = ["Vocabulary", "generate"]
