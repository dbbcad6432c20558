"""The names of classes, as they stand in `labels.txt`."""

import unicodedata

from keras_vit.errors import InputError
from keras_vit.io.files import read_bytes


def read_label_names(path):
    """Reads the names in a `labels.txt`, one a line.

    Args:
        path: str or Path.

    Returns:
        tuple of str.

    Raises:
        InputError: missing, not UTF-8, or a line is empty or appears twice.
    """
    return parse_label_names(read_bytes(path, "the names of the classes"), path)


def parse_label_names(content, source):
    """Parses the bytes of a `labels.txt`, which errors call `source`. See `read_label_names`."""
    try:
        names = content.decode("utf-8").replace("\r\n", "\n").removesuffix("\n").split("\n")
    except UnicodeDecodeError as error:
        raise InputError(f"Expected UTF-8 text in {source}, one label a line: {error}.") from error
    unfit = next((name for name in names if not is_label_name(name)), None)
    if unfit is not None or len(set(names)) < len(names):
        wrong = "names that repeat" if unfit is None else repr(unfit[:80])
        raise InputError(f"Expected a different label in each line of {source}, received {wrong}.")
    return tuple(names)


def is_label_name(text):
    """Tells whether a text can stand in a line of `labels.txt` and be shown."""
    controls = {"Cc", "Cs", "Zl", "Zp"}  # Unicode's controls, surrogates and separators of lines
    return bool(text.strip()) and not any(unicodedata.category(letter) in controls for letter in text)
