"""Class names, as `labels.txt` stores them."""

import os
import unicodedata
from pathlib import Path

from keras_vit.errors import InputError
from keras_vit.io.files import read_bytes


def read_label_names(path: str | os.PathLike) -> tuple[str, ...]:
    """Reads the names in a `labels.txt`: UTF-8, one unique name in each line."""
    return parse_label_names(read_bytes(path, "the class names"), path)


def parse_label_names(content: bytes, source) -> tuple[str, ...]:
    """Parses the bytes of a `labels.txt`, which errors call `source`."""
    try:
        names = content.decode("utf-8").replace("\r\n", "\n").removesuffix("\n").split("\n")
    except UnicodeDecodeError as error:
        raise InputError(f"Expected UTF-8 text in {source}, one label per line: {error}.") from error
    invalid = next((name for name in names if not is_label_name(name)), None)
    if invalid is not None or len(set(names)) < len(names):
        received = "duplicate names" if invalid is None else repr(invalid[:80])
        raise InputError(f"Expected a unique label in each line of {source}, received {received}.")
    return tuple(names)


def is_label_name(text: str) -> bool:
    """Returns whether a text can be a line of `labels.txt` and can be displayed."""
    controls = {"Cc", "Cs", "Zl", "Zp"}  # control characters, surrogates, line and paragraph separators
    return bool(text.strip()) and not any(unicodedata.category(letter) in controls for letter in text)


def names_next_to(model: Path) -> tuple[str, ...] | None:
    """Returns the names in the `labels.txt` in the folder of a model's file, or None where there is none."""
    path = model.parent / "labels.txt"
    return read_label_names(path) if path.exists() else None
