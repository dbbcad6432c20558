"""What is kept of the files of a data set for as long as none of them changes."""

from pathlib import Path

import numpy as np

from keras_vit.errors import InputError
from keras_vit.io.files import atomic_path
from keras_vit.io.npz_arrays import read_arrays
from keras_vit.training.data.items import digest

FILE = "contents.npz"


def identity(stamps: np.ndarray) -> str:
    """Returns a text that changes with any of the stamps of some files."""
    return f"{digest(stamps.tobytes()):016x}"


def kept_contents(folder: Path | None, stamps: np.ndarray) -> np.ndarray | None:
    """Returns the contents that were found for the same files before, a uint64 for each, or None."""
    if folder is None or not (folder / FILE).is_file():
        return None
    try:
        kept = read_arrays(folder / FILE)
        return kept["contents"] if str(kept["files"]) == identity(stamps) else None
    except (InputError, KeyError):  # damaged, or of another version
        return None


def keep_contents(folder: Path | None, stamps: np.ndarray, contents: np.ndarray):
    """Keeps the contents of some files; a folder that cannot be written is left as it is."""
    if folder is None:
        return
    try:
        with atomic_path(folder / FILE) as path:
            np.savez(path, files=np.array(identity(stamps)), contents=contents)
    except (InputError, OSError):
        return
