"""Character work: corpora, vocabulary, batches, figures, generation."""

from training.text.corpus import TextData, load_text
from training.text.vocabulary import Vocabulary

__all__ = ["TextData", "Vocabulary", "load_text"]
