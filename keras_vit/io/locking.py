"""Folders in which one process works at a time."""

import contextlib
import os
from pathlib import Path

from filelock import FileLock, Timeout

from keras_vit.errors import InputError


@contextlib.contextmanager
def exclusively(path, busy):
    """Keeps other processes out while the block runs, by a lock file that disappears afterwards.

    The lock of a process that was killed does not count, and a file system that has no locks is used without.

    Args:
        path: Path of a folder, or of a file; the lock file is in the folder, or next to the file.
        busy: str, the message when another process holds the lock.

    Raises:
        InputError: another process holds the lock.
    """
    path = Path(path)
    lock = FileLock(path / ".lock" if path.is_dir() else path.with_name(f".{path.name}.lock"), blocking=False)
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(lock)
            stack.callback(_remove, lock.lock_file)  # before it is released: another process may lock it then
        except Timeout as error:
            raise InputError(busy) from error
        except (OSError, NotImplementedError):  # no locks here, or a folder that cannot be written
            pass
        yield


@contextlib.contextmanager
def created_folder(path):
    """Creates a folder and its parents; those that the block leaves empty are removed again.

    Raises:
        InputError: the folder cannot be created.
    """
    path = Path(path)
    created = [place for place in (path, *path.parents) if not os.path.exists(place)]
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{path} cannot be created ({error.strerror}). Choose another --run-dir.") from error
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # one is not empty, and so its parents
            for place in created:
                place.rmdir()


def _remove(path):
    with contextlib.suppress(OSError):  # Windows removes no open file
        os.remove(path)
