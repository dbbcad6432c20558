"""How to use a model of pairs of texts: `pairs.json`, in or next to each of its files."""

import dataclasses
import json

from keras_vit.errors import InputError
from keras_vit.export.tflite.archive import attached_file
from keras_vit.io.json_files import parse_json
from keras_vit.text import Vocabulary

NAME = "pairs.json"


@dataclasses.dataclass(frozen=True)
class PairDescription:
    """How a model's tokens are read."""

    vocabulary: Vocabulary
    max_source: int  # characters of a source, which `encode` takes
    max_target: int  # characters of a target

    def to_bytes(self):
        """Returns it as JSON in UTF-8."""
        lengths = {"max_source": self.max_source, "max_target": self.max_target}
        return (json.dumps({**dataclasses.asdict(self.vocabulary), **lengths}, indent=2) + "\n").encode()


def read_description(path) -> PairDescription:
    """Reads the description in a `.tflite` file or a SavedModel folder of a model of pairs."""
    content = attached_file(path, NAME)
    if content is None:
        raise InputError(
            f"Expected an exported model of pairs of texts, but {path} holds no {NAME}. Write one: keras-vit "
            "export RUN"
        )
    document = parse_json(content, f"{path}/{NAME}")
    try:
        lengths = [document[name] for name in ("max_source", "max_target")]
        vocabulary = Vocabulary.parse({k: document[k] for k in ("characters", "unknown")}, path)
        valid = all(isinstance(length, int) and length > 0 for length in lengths)
    except (KeyError, TypeError):
        valid = False
    if not valid:
        raise InputError(f"{path} is damaged: its {NAME} does not describe pairs of texts. Export again.")
    return PairDescription(vocabulary, *lengths)


def has_description(path):
    """Whether a `.tflite` file or a SavedModel folder is an exported model of pairs of texts."""
    return attached_file(path, NAME) is not None
