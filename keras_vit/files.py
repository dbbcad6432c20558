"""Files that are either whole or absent: atomic writing, and reading that names what is wrong."""

import contextlib
import errno
import json
import math
import os
import re
import shutil
import tempfile
import unicodedata
from pathlib import Path

from keras_vit.errors import InputError

LARGEST_TEXT = 16 * 1024**2  # bytes of a file of JSON or labels
_SPACE = {errno.ENOSPC, errno.EDQUOT}
_NO_SYNC = {errno.EINVAL, errno.ENOTSUP}  # of folders, on some file systems of networks
_COLORS = re.compile(r"\x1b\[\d*m")  # of a terminal
_FUNCTIONS = re.compile(r"in user code:.*?\n\n +\w+: ", re.DOTALL)
_NUMBERS = re.compile(r"(?<=\[)\n[\s\d.,eE+-]+(?=\])")  # no text has a line end of its own
_CALLING = "Exception encountered when calling "
_ACCESS = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR}


@contextlib.contextmanager
def atomic_path(path, mark=None):
    """Yields a temporary path beside `path`; what is written there appears under `path` only when whole.

    Works for a file and for a folder. When the block raises, the temporary is removed and whatever
    stood under `path` stays as it was. A file is never put in the place of a folder.

    Args:
        path: str or Path, the final name. Missing parent folders are made.
        mark: str, name of the file by which the writer knows a folder as its own. A folder that stands
            under `path` is replaced only when it holds that file or nothing.

    Raises:
        InputError: the disk is full, the place cannot be written, or a folder with something else is there.
    """
    path = Path(path)
    with _disk_errors_named(path):
        check_replaceable(path, mark)
        holder = _make_holder(path)
        try:
            temporary = holder / path.name
            yield temporary
            _flush(temporary)
            _replace(temporary, path, holder)
            sync_folder(path.parent)
        finally:
            shutil.rmtree(holder, ignore_errors=True)


def check_replaceable(path, mark=None):
    """Checks that what is written to `path` would replace no folder of another kind.

    Args:
        path: Path, as in `atomic_path`.
        mark: as in `atomic_path`.

    Raises:
        InputError: it would.
    """
    if not os.path.isdir(path):  # also where the name is too long
        return
    if mark is None:
        raise InputError(
            f"Expected the name of a file to write, but {path} is a folder. Choose another name."
        )
    if not (path / mark).is_file() and any(path.iterdir()):
        raise InputError(
            f"Expected a new or empty folder to write, or one that holds {mark}, but {path} is neither. "
            "Choose another."
        )


def sync_folder(path):
    """Waits until the names in a folder are on the disk, where the system can do so."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:  # Windows opens no folders
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise
    finally:
        os.close(descriptor)


def write_text(path, text):
    """Writes `text` as UTF-8, atomically."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path, content):
    """Writes bytes, atomically."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def read_text(path):
    """Reads text in UTF-8, with newlines as line ends whatever the file has.

    Args:
        path: str or Path.

    Raises:
        InputError: missing, or not UTF-8.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"Expected a text file at {path}, found {what_lies_at(path)}.")
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"Expected {path} to be UTF-8, but byte {error.start:,} is not. Convert it, "
            "for example with `iconv -t UTF-8`."
        ) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def write_json(path, value):
    """Writes `value` as indented JSON, each list of numbers in a line, atomically.

    NaN and infinity are refused with ValueError.
    """
    text = json.dumps(value, indent=2, allow_nan=False)
    write_text(path, _NUMBERS.sub(lambda found: " ".join(found[0].split()), text) + "\n")


def read_json(path, kind=object):
    """Reads a JSON file.

    Args:
        path: str or Path.
        kind: type, such as dict, that its value must have.

    Raises:
        InputError: the file is missing, not JSON, far too large, or of another type.
    """
    return parse_json(_read_bytes(path, "a JSON file"), path, kind)


def parse_json(content, name, kind=object):
    """Parses JSON as it is written here: no NaN or infinity, and no field twice in one object.

    Args:
        content: bytes.
        name: str or Path, what errors call it.
        kind: type that its value must have.

    Raises:
        InputError: not such JSON.
    """
    try:
        value = json.loads(
            content.decode("utf-8"),
            parse_constant=_finite,
            parse_float=_finite,
            object_pairs_hook=_unlike_fields,
        )
    except (ValueError, RecursionError) as error:  # also of UTF-8, and of numbers with thousands of digits
        raise InputError(f"Expected JSON in {name}, but it cannot be read: {first_line(error)}.") from error
    if not isinstance(value, kind):
        words = {dict: "an object", list: "a list"}
        raise InputError(
            f"Expected {words[kind]} in {name}, received {words.get(type(value), 'another value')}."
        )
    return value


def read_label_names(path):
    """Reads the names in a `labels.txt`, one a line.

    Args:
        path: str or Path.

    Returns:
        tuple of str.

    Raises:
        InputError: missing, not UTF-8, or a line is empty or appears twice.
    """
    return parse_label_names(_read_bytes(path, "the names of the classes"), path)


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


def first_line(error):
    """Returns the first line of an error's message that tells what is wrong, or the name of its type.

    Before it TensorFlow tells in which functions it was, and Keras in which layer's call; that is kept.
    """
    text = _FUNCTIONS.sub("", _COLORS.sub("", str(error)))
    lines = [line.strip() for line in text.splitlines() if line.strip()] or [type(error).__name__]
    if lines[0].startswith(_CALLING) and len(lines) > 1:
        return f"{lines[0].removeprefix(_CALLING).removesuffix('.')}: {lines[1]}"
    return lines[0]


def what_lies_at(path):
    """Says in two words what there is instead of a file."""
    return "a folder" if path.is_dir() else "no file" if path.exists() else "none"


def _read_bytes(path, what):
    path = Path(path)
    try:
        if not path.is_file():
            raise InputError(f"Expected {what} at {path}, found {what_lies_at(path)}.")
        if path.stat().st_size > LARGEST_TEXT:
            raise InputError(f"Expected {what} at {path}, found {path.stat().st_size:,} bytes.")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"Expected {what} at {path}, which cannot be read: {error.strerror}.") from error


def _finite(text):
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:40]} is not a finite number")
    return value


def _unlike_fields(pairs):
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("a field appears twice")
    return value


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
            raise InputError(_unwritable(path, error)) from error
        raise


def _make_holder(path):
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=f".{path.stem}-", dir=path.parent))
    except OSError as error:
        if error.errno in _SPACE:
            raise
        raise InputError(_unwritable(path, error)) from error


def _unwritable(path, error):
    return f"{path} cannot be written ({error.strerror}). Choose a folder that you may write to."


def _flush(path):
    files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
    for file in files:
        descriptor = os.open(file, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _replace(temporary, path, holder):
    if path.is_dir() and not path.is_symlink() and temporary.is_dir():
        aside = holder / f"{path.name}.old"
        os.replace(path, aside)
        try:
            os.replace(temporary, path)
        except OSError:
            os.replace(aside, path)
            raise
    else:  # of a file on a folder the system makes an error
        os.replace(temporary, path)
