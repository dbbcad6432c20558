"""Reads the arrays of an `.npz` file; objects in it, which are code, are refused."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from keras_vit.errors import InputError, first_line
from keras_vit.io.archive import check_zip
from keras_vit.io.files import what_lies_at


def read_arrays(path: Path, check: Callable | None = None) -> dict[str, np.ndarray]:
    """Returns the arrays by name; `check` gets the names of the members before any is read."""
    if not path.is_file():
        raise InputError(f"Expected an .npz file at {path}, found {what_lies_at(path)}.")
    try:
        check_zip(path)
        with np.load(path, allow_pickle=False) as file:
            if check:
                check(file.zip.namelist())
            return {name: file[name] for name in file.files}
    except InputError:
        raise
    except Exception as error:  # zip, zlib and NumPy's own, of many types
        reason = first_line(error)
        if "allow_pickle" in reason:
            reason = "it contains Python objects; save arrays of numbers"
        raise InputError(f"{path} cannot be read as an .npz file: {reason}.") from error
