"""How to use a model of pairs of texts: `pairs.json`."""

import dataclasses

from keras_vit.export.text.character_description import CharacterDescription


@dataclasses.dataclass(frozen=True)
class PairDescription(CharacterDescription):
    """How a model's tokens are read."""

    file, words = "pairs.json", "model of pairs of texts"
    max_source: int  # characters of a source, which `encode` takes
    max_target: int  # characters of a target
