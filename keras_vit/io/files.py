"""Atomic writing, after which a file is complete or unchanged, and reading with one-line errors."""

import codecs
import contextlib
import csv
import errno
import io
import math
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from keras_vit.errors import InputError, nearest

MAX_TEXT_SIZE = 16 * 1024**2  # bytes of a file of JSON or labels
_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_SPACE_WORDS = ("No space left on device", "Disk quota exceeded", "File too large")
_NO_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.EACCES}  # for folders, on some network disks and Windows
_MARKS = (  # at the beginning of texts; that of UTF-32 begins with one of UTF-16
    (codecs.BOM_UTF32_LE, "UTF-32"), (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"), (codecs.BOM_UTF16_BE, "UTF-16"),
)  # fmt: skip
_SOURCES = {".csv": "table", ".parquet": "table", ".npz": "npz"}  # of files by their endings
_POSITION = threading.Lock()
_ACCESS = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR}


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike, mark: str | None = None) -> Iterator[Path]:
    """Yields a temporary path; the file or folder written there replaces `path` when the block ends.

    When the block raises, what it wrote is removed and `path` stays unchanged. Missing parent folders are
    created. A file never replaces a folder; a folder replaces one that is empty or contains the file `mark`.
    """
    path = Path(path)
    with disk_errors_as_input_errors(path):
        check_replaceable(path, mark)
        holder = _temporary_folder(path)
        try:
            temporary = holder / path.name
            yield temporary
            flush(temporary)
            replace(temporary, path, holder)
            sync_folder(path.parent)
        finally:
            shutil.rmtree(holder, ignore_errors=True)


def check_replaceable(path: Path, mark: str | None = None):
    """Checks that `atomic_path` with these arguments would not replace a folder of another kind."""
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


def make_folder(path: str | os.PathLike):
    """Creates a folder with its parents, if it is not there; one that cannot be created is an InputError."""
    with disk_errors_as_input_errors(path):
        try:
            Path(path).mkdir(parents=True, exist_ok=True)
        except FileExistsError as error:
            raise InputError(f"Expected a folder at {path}, found a file. Choose another name.") from error


def sync_folder(path):
    """Flushes the file names of a folder to the disk, where the system supports it."""
    try:
        _sync(path)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise


@contextlib.contextmanager
def disk_errors_as_input_errors(path: str | os.PathLike) -> Iterator[None]:
    """Makes an InputError of a full disk or missing access in the block, which writes at `path`."""
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


def flush(path: Path):
    """Flushes a file, or all files of a folder, to the disk."""
    files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
    for file in files:
        _sync(file)


def replace(temporary: Path, path: Path, holder: Path):
    """Renames a file or folder to `path`; a folder that was there is moved to the folder `holder`."""
    if path.is_dir() and not path.is_symlink() and temporary.is_dir():
        aside = holder / f"{path.name}.old"
        os.replace(path, aside)
        try:
            os.replace(temporary, path)
        except OSError:
            os.replace(aside, path)
            raise
    else:  # the system cannot replace a folder by a file
        os.replace(temporary, path)


def write_text(path: str | os.PathLike, text: str):
    """Writes UTF-8, atomically."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: str | os.PathLike, content: bytes):
    """Writes bytes, atomically."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def read_bytes(path: str | os.PathLike, what: str, max_size: float = MAX_TEXT_SIZE) -> bytes:
    """Reads a file that is not a device or a pipe; errors call it `what`, such as `"a JSON file"`."""
    path = Path(path)
    try:
        if not path.is_file():
            raise InputError(f"Expected {what} at {path}, found {what_lies_at(path)}.{near_path(path)}")
        if path.stat().st_size > max_size:
            raise InputError(f"Expected {what} at {path}, found {path.stat().st_size:,} bytes.")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"Expected {what} at {path}, which cannot be read: {error.strerror}.") from error


def read_at(descriptor: int, size: int, offset: int) -> bytes:
    """Returns bytes of an open file from an offset. Threads may read the same file."""
    if hasattr(os, "pread"):
        return os.pread(descriptor, size, offset)
    with _POSITION:  # Windows
        os.lseek(descriptor, offset, os.SEEK_SET)
        return os.read(descriptor, size)


def read_text(path: str | os.PathLike) -> str:
    """Reads UTF-8 text, or what its first bytes mark, and normalizes its line ends to newlines."""
    content = read_bytes(path, "a text file", math.inf)
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "UTF-8")
    try:
        text = content.decode("utf-8-sig" if encoding == "UTF-8" else encoding)
    except UnicodeDecodeError as error:
        way_out = "Convert it, for example with `iconv -f WINDOWS-1252 -t UTF-8`"
        raise InputError(
            f"Expected {path} to be {encoding}, but byte {error.start:,} is not. "
            f"{way_out if encoding == 'UTF-8' else 'It is damaged or cut: write it again'}."
        ) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def open_csv(path: str | os.PathLike, mode: str = "w"):
    """Opens a CSV file to write; names of files may have bytes that are no UTF-8, which stay as they are."""
    return open(path, mode, newline="", encoding="utf-8", errors="surrogateescape")


def csv_text(rows: Iterable[Sequence]) -> str:
    """Returns rows as the text of a CSV file."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


@contextlib.contextmanager
def errors_to(log: BinaryIO):
    """Redirects file descriptor 2, which libraries write to and processes inherit, to an open file."""
    sys.stderr.flush()
    saved = os.dup(2)
    os.dup2(log.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)


def what_lies_at(path: Path) -> str:
    """Returns a phrase for what a path is instead of a file."""
    return "a folder" if path.is_dir() else "no file" if path.exists() else "none"


def near_path(path: Path, cutoff: float = 0.6) -> str:
    """Returns a question whether what lies next to a missing path was meant, or `""`."""
    try:
        near = None if path.exists() else nearest(path.name, os.listdir(path.parent), cutoff)
    except OSError:
        return ""
    return f" Did you mean {path.parent / near}?" if near else ""


def source_of(path: str | os.PathLike) -> str | None:
    """Returns what a spec of data begins with that reads a folder or file, such as `"folder"`, or None."""
    if os.path.isdir(path):
        return "folder"
    return _SOURCES.get(os.path.splitext(path)[1].lower()) if os.path.isfile(path) else None


def is_full_disk(error: BaseException | None) -> bool:
    """Returns whether an error is about a full disk, or was raised from or while handling one that is.

    TensorFlow has no type for it: there the message is searched for the system's words. Keras raises errors
    of callbacks again `from None`, which leaves their context alone.
    """
    if error is None:
        return False
    is_own = isinstance(error, OSError) and error.errno in _SPACE
    is_named = any(words in str(error) for words in _SPACE_WORDS)
    return is_own or is_named or is_full_disk(error.__cause__ or error.__context__)


def _temporary_folder(path):
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=f".{path.stem}-", dir=path.parent))
    except OSError as error:
        if error.errno in _SPACE:
            raise
        raise InputError(_unwritable(path, error)) from error


def _unwritable(path, error):
    return f"{path} cannot be written ({error.strerror}). Choose a folder that you may write to."


def _sync(path):
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
