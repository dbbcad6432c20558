"""Checks zip archives before anything in them is read, and reads arrays."""

import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import numpy as np

from keras_vit.errors import InputError, first_line
from keras_vit.io.files import what_lies_at

MAX_EXPANSION = 100  # unpacked size over file size; real data reach 10
FREE_SIZE = 256 * 1024**2  # bytes that members may have whatever the file's size
MAX_MEMBERS = 10_000


def check_zip(path: Path) -> set[str]:
    """Returns the names of the members of a zip archive, whose directory is checked without unpacking it.

    Archives with members that appear twice, point outside or are far larger than the file are refused.
    """
    size = path.stat().st_size
    if not zipfile.is_zipfile(path):
        raise InputError(
            f"{path} ({size:,} bytes) is not a zip archive, as .keras, .npz and torch's files are: it is "
            "empty, truncated or of another format. Write it again."
        )
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, EOFError, OSError, ValueError, NotImplementedError) as error:
        raise InputError(f"{path} is a damaged archive: {error}.") from error
    names = {member.filename for member in members}
    if len(names) < len(members) or len(members) > MAX_MEMBERS:
        raise InputError(f"{path} is a damaged archive: it has duplicate or too many members.")
    for name in names:
        parts = PurePosixPath(name.replace("\\", "/"))
        if parts.is_absolute() or ".." in parts.parts or ":" in name or "\0" in name:
            raise InputError(f"{path} is not trustworthy: its member {name!r} points outside the archive.")
    declared = sum(member.file_size for member in members)
    if declared > MAX_EXPANSION * size + FREE_SIZE:
        raise InputError(
            f"{path} is not trustworthy: its {size:,} bytes would unpack to {declared:,}. If it is your own "
            "file, save it with less compression."
        )
    return names


def read_arrays(path: Path, check: Callable | None = None) -> dict[str, np.ndarray]:
    """Returns the arrays of an `.npz` file by name; objects in it, which are code, are refused.

    `check` gets the names of the members before any is read.
    """
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
