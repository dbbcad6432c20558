"""How to read the tokens of an exported model of characters: JSON in or next to each of its files."""

import dataclasses
import json
from pathlib import Path
from typing import ClassVar, Self

from keras_vit.errors import InputError
from keras_vit.export.tflite.archive import EXTRAS, attach_files, attached_file
from keras_vit.io.json_files import parse_json
from keras_vit.text import Vocabulary


@dataclasses.dataclass(frozen=True)
class CharacterDescription:
    """The vocabulary of a model; fields of subclasses are bools, or ints above 0."""

    file: ClassVar[str]  # its name, ends with .json
    words: ClassVar[str]  # what messages call such a model
    vocabulary: Vocabulary

    def to_bytes(self) -> bytes:
        """Returns it as JSON in UTF-8."""
        others = {name: getattr(self, name) for name in self._others()}
        return (json.dumps({**dataclasses.asdict(self.vocabulary), **others}, indent=2) + "\n").encode()

    def write_into(self, path: Path) -> None:
        """Adds it to a TFLite file or to the folder of a SavedModel."""
        if path.is_dir():
            (path / EXTRAS).mkdir()
            (path / EXTRAS / self.file).write_bytes(self.to_bytes())
        else:
            attach_files(path, {self.file: self.to_bytes()})

    @classmethod
    def is_in(cls, path: str | Path) -> bool:
        """Returns whether a TFLite file or the folder of a SavedModel has such a description."""
        return attached_file(path, cls.file) is not None

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Reads the description in a TFLite file or in the folder of a SavedModel."""
        content = attached_file(path, cls.file)
        if content is None:
            raise InputError(
                f"Expected an exported {cls.words}, but {path} holds no {cls.file}. Write one: keras-vit "
                "export RUN"
            )
        document = parse_json(content, f"{path}/{cls.file}")
        try:
            others = {name: document[name] for name in cls._others()}
            vocabulary = Vocabulary.parse({k: document[k] for k in ("characters", "unknown")}, path)
        except (KeyError, TypeError):
            others = None
        if others is None or not all(_fits(others[name], kind) for name, kind in cls._others().items()):
            raise InputError(
                f"{path} is damaged: its {cls.file} does not describe a {cls.words}. Export again."
            )
        return cls(vocabulary, **others)

    @classmethod
    def _others(cls):
        return {field.name: field.type for field in dataclasses.fields(cls) if field.name != "vocabulary"}


@dataclasses.dataclass(frozen=True)
class TextDescription(CharacterDescription):
    """How a text model's tokens are read."""

    file, words = "text.json", "text model"
    window: int  # tokens that `score` takes
    lines: bool  # whether each line is one text and ends with a newline; or running text


@dataclasses.dataclass(frozen=True)
class PairDescription(CharacterDescription):
    """How the tokens of a model of pairs of texts are read."""

    file, words = "pairs.json", "model of pairs of texts"
    max_source: int  # characters of a source, which `encode` takes
    max_target: int  # characters of a target


def _fits(value, kind):
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool) and value > 0)
