"""How to read a text model's logits: `text.json`, in or next to each of its files."""

import dataclasses
import json

from keras_vit.errors import InputError
from keras_vit.export.tflite.archive import attached_file
from keras_vit.io.json_files import parse_json
from keras_vit.text import Vocabulary

NAME = "text.json"


@dataclasses.dataclass(frozen=True)
class TextDescription:
    """How a text model's tokens are read."""

    vocabulary: Vocabulary
    window: int  # tokens that `score` takes
    lines: bool  # whether each line is one text and ends with a newline; or running text

    def to_bytes(self):
        """Returns it as JSON in UTF-8."""
        document = {**dataclasses.asdict(self.vocabulary), "window": self.window, "lines": self.lines}
        return (json.dumps(document, indent=2) + "\n").encode()


def read_description(path) -> TextDescription:
    """Reads the description in a `.tflite` file or a SavedModel folder of an exported text model."""
    content = attached_file(path, NAME)
    if content is None:
        raise InputError(
            f"Expected an exported text model, but {path} holds no {NAME}. Write one: keras-vit export RUN"
        )
    document = parse_json(content, f"{path}/{NAME}")
    try:
        window, lines = document["window"], document["lines"]
        vocabulary = Vocabulary.parse({k: document[k] for k in ("characters", "unknown")}, path)
        valid = isinstance(window, int) and window > 0 and isinstance(lines, bool)
    except (KeyError, TypeError):
        valid = False
    if not valid:
        raise InputError(f"{path} is damaged: its {NAME} does not describe a text model. Export again.")
    return TextDescription(vocabulary, window, lines)


def has_description(path):
    """Whether a `.tflite` file or a SavedModel folder is an exported text model."""
    return attached_file(path, NAME) is not None
