"""Character work: corpora, vocabulary, batches, figures, generation."""

from keras_vit.text.vocabulary import Vocabulary
from keras_vit.training.text.corpus import TextData, load_text

__all__ = ["TextData", "Vocabulary", "load_text"]
