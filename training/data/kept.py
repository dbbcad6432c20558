"""What is kept of the files of a data set for as long as none of them changes."""

from pathlib import Path

import numpy as np

from keras_vit.errors import InputError
from keras_vit.io.files import atomic_path
from keras_vit.io.npz_arrays import read_arrays
from keras_vit.training.data.items import digest

FILE = "contents2.npz"  # another name for another meaning


def identity(stamps: np.ndarray) -> str:
    """Returns a text that changes with any of the stamps of some files."""
    return f"{digest(stamps.tobytes()):016x}"


def kept_contents(folder: Path | None, stamps: np.ndarray) -> np.ndarray | None:
    """Returns the contents that were found for the same files before, a uint64 for each, or None."""
    kept = None if folder is None else kept_arrays(folder / FILE, stamps)
    return None if kept is None else kept.get("contents")


def keep_contents(folder: Path | None, stamps: np.ndarray, contents: np.ndarray):
    """Keeps the contents of some files."""
    if folder is not None:
        keep_arrays(folder / FILE, stamps, contents=contents)


def kept_arrays(path: Path, stamps: np.ndarray) -> dict[str, np.ndarray] | None:
    """Returns the arrays that were kept in a file for the same images, or None."""
    if not path.is_file():
        return None
    try:
        kept = read_arrays(path)
        return kept if str(kept["files"]) == identity(stamps) else None
    except (InputError, KeyError):  # damaged, or of another version
        return None


def keep_arrays(path: Path, stamps: np.ndarray, **arrays: np.ndarray):
    """Keeps arrays of some images; a folder that cannot be written is left as it is."""
    try:
        with atomic_path(path) as temporary:
            np.savez(temporary, files=np.array(identity(stamps)), **arrays)
    except (InputError, OSError):
        return
