"""What the exports of models of characters have in common: of text, and of pairs of texts."""

import dataclasses

import keras

from keras_vit.errors import InputError, counted
from keras_vit.export.text.description import CharacterDescription
from keras_vit.export.variants import TEXT_VARIANTS
from keras_vit.export.verification.model_export import ModelExport
from keras_vit.export.verification.record import fingerprint
from keras_vit.text import Vocabulary

AGREEMENT = {"agreement": lambda row: f"{100 * row['agreement']:.2f} %"}  # the last column of the table


@dataclasses.dataclass
class CharacterExport(ModelExport):
    model: keras.Model
    description: CharacterDescription

    variants = TEXT_VARIANTS

    def __post_init__(self):
        self.fingerprint = fingerprint(self.model, self.description.vocabulary.symbols)

    def texts(self):
        return {self.description.file: self.description.to_bytes()}


def check_vocabulary(model: keras.Model, vocabulary: Vocabulary) -> None:
    """Raises InputError unless a model returns a logit for each token."""
    if model.output_shape[-1] != len(vocabulary):
        raise InputError(
            f"Expected one logit per token: the model has {counted(model.output_shape[-1], 'output')}, the "
            f"vocabulary {counted(len(vocabulary), 'token')}."
        )
