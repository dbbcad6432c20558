"""Files that are either whole or absent: atomic writing, and reading that names what is wrong."""

import contextlib
import errno
import json
import os
import shutil
import tempfile
import zipfile
from pathlib import Path

from keras_vit.errors import InputError

_SPACE = {errno.ENOSPC, errno.EDQUOT}
_ACCESS = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR}


@contextlib.contextmanager
def atomic_path(path):
    """Yields a temporary path beside `path`; what is written there appears under `path` only when whole.

    Works for a file and for a folder. When the block raises, the temporary is removed and whatever
    stood under `path` stays as it was.

    Args:
        path: str or Path, the final name. Missing parent folders are made.

    Raises:
        InputError: the disk is full, or the place cannot be written.
    """
    path = Path(path)
    with _disk_errors_named(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        holder = Path(tempfile.mkdtemp(prefix=f".{path.stem}-", dir=path.parent))
        try:
            temporary = holder / path.name
            yield temporary
            _flush(temporary)
            _replace(temporary, path, holder)
        finally:
            shutil.rmtree(holder, ignore_errors=True)


def write_text(path, text):
    """Writes `text` as UTF-8, atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path, value):
    """Writes `value` as indented JSON, atomically. NaN and infinity are refused with ValueError."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def read_json(path):
    """Reads a JSON file.

    Raises:
        InputError: the file is missing or is not JSON.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"Expected a JSON file at {path}, found none.")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"Expected JSON in {path}, but it cannot be read: {error}.") from error


def load_model(path):
    """Loads a `.keras` file without running code from it, and without its compile state.

    Args:
        path: str or Path of the file.

    Returns:
        A `keras.Model`, not compiled.

    Raises:
        InputError: missing, truncated or not a `.keras` archive, or holding a Lambda layer or
            classes that are not importable here.
    """
    import keras

    import keras_vit.layers  # noqa: F401  registers the layers

    path = Path(path)
    _check_archive(path)
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises nearly every type for a file that it cannot build
        if "Lambda" in str(error) or "lambda" in str(error):
            raise InputError(
                f"{path} holds a Lambda layer, which is code and is not run from a file. "
                "Replace it by a registered keras.layers.Layer and save again."
            ) from error
        raise InputError(
            f"{path} is an archive, but not a model that can be built here: {_cause(error)}"
        ) from error


def _check_archive(path):
    if not path.is_file():
        raise InputError(f"Expected a .keras model file at {path}, found none.")
    if not zipfile.is_zipfile(path):
        size = path.stat().st_size
        raise InputError(
            f"{path} ({size:,} bytes) is not a .keras archive: it is empty, truncated or of another "
            "format. Save it again with model.save('name.keras')."
        )
    try:
        with zipfile.ZipFile(path) as archive:
            broken, names = archive.testzip(), set(archive.namelist())
    except (zipfile.BadZipFile, EOFError, OSError, ValueError, RuntimeError) as error:
        raise InputError(f"{path} is a damaged archive: {_first_line(error)}.") from error
    missing = {"config.json", "metadata.json", "model.weights.h5"} - names
    if broken or missing:
        part = broken or ", ".join(sorted(missing))
        raise InputError(f"{path} is damaged: {part} is broken or missing. Save the model again.")


def _cause(error):
    """Keras tells which class it could not find in the first of a chain of errors."""
    while error.__context__ is not None:
        error = error.__context__
    return _first_line(error)


def _first_line(error):
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


@contextlib.contextmanager
def _disk_errors_named(path):
    try:
        yield
    except OSError as error:
        if error.errno in _SPACE:
            raise InputError(
                f"No space left on the disk while writing {path}. Nothing was changed there; "
                "free some space or choose another folder."
            ) from error
        if error.errno in _ACCESS:
            raise InputError(
                f"{path} cannot be written ({error.strerror}). Choose a folder that you may write to."
            ) from error
        raise


def _flush(path):
    files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
    for file in files:
        descriptor = os.open(file, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _replace(temporary, path, holder):
    if path.is_dir() and not path.is_symlink():
        aside = holder / f"{path.name}.old"
        os.replace(path, aside)
        try:
            os.replace(temporary, path)
        except OSError:
            os.replace(aside, path)
            raise
    else:
        os.replace(temporary, path)
