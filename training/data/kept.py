"""What is kept of the files of a data set for as long as none of them changes."""

import contextlib
from pathlib import Path

import numpy as np

from keras_vit.errors import InputError
from keras_vit.io.archive import read_arrays
from keras_vit.io.files import atomic_path
from keras_vit.training.data.items import digest


def identity(stamps: np.ndarray) -> str:
    """Returns a text that changes with any of the stamps of some files."""
    return f"{digest(stamps.tobytes()):016x}"


def kept_arrays(folder: Path | None, name: str, stamps: np.ndarray) -> dict[str, np.ndarray]:
    """Returns the arrays that were kept in a file of a folder for the same images, or none."""
    if folder is None or not (folder / name).is_file():
        return {}
    try:
        kept = read_arrays(folder / name)
        return kept if str(kept["files"]) == identity(stamps) else {}
    except (InputError, KeyError):  # damaged, or of another version
        return {}


def keep_arrays(folder: Path | None, name: str, stamps: np.ndarray, **arrays: np.ndarray):
    """Keeps arrays of some images; a folder that cannot be written is left as it is."""
    if folder is not None:
        with contextlib.suppress(InputError, OSError), atomic_path(folder / name) as temporary:
            np.savez(temporary, files=np.array(identity(stamps)), **arrays)
