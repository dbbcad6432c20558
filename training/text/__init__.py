"""Character work: corpora and pairs of texts, vocabulary, batches, figures, generation."""

from keras_vit.text.vocabulary import Vocabulary
from keras_vit.training.text.corpus import TextData, load_text
from keras_vit.training.text.pairs import PairData, load_pairs

__all__ = ["PairData", "TextData", "Vocabulary", "load_pairs", "load_text"]
