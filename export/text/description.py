"""How to read a text model's logits: `text.json`."""

import dataclasses

from keras_vit.export.text.character_description import CharacterDescription


@dataclasses.dataclass(frozen=True)
class TextDescription(CharacterDescription):
    """How a text model's tokens are read."""

    file, words = "text.json", "text model"
    window: int  # tokens that `score` takes
    lines: bool  # whether each line is one text and ends with a newline; or running text
