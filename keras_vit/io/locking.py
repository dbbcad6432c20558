"""Folders for one process at a time."""

import contextlib
import os
from pathlib import Path

from filelock import FileLock, Timeout

from keras_vit.errors import InputError


@contextlib.contextmanager
def exclusively(path: str | os.PathLike, busy: str):
    """Keeps other processes out while the block runs, or raises InputError with `busy` when one is inside.

    The lock file, in the folder `path` or next to the file, disappears afterwards. The lock of a process that
    was killed does not count, and a file system that has no locks is used without.
    """
    path = Path(path)
    lock = FileLock(path / ".lock" if path.is_dir() else path.with_name(f".{path.name}.lock"), blocking=False)
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(lock)
            stack.callback(_remove, lock.lock_file)  # before it is released: another process may lock it then
        except Timeout as error:
            if os.path.exists(lock.lock_file):  # else it cannot be written, as what follows will say
                raise InputError(busy) from error
        except (OSError, NotImplementedError):  # no locks here, or a folder that cannot be written
            pass
        yield


@contextlib.contextmanager
def created_folder(path: str | os.PathLike):
    """Creates a folder and its parents; those that the block leaves empty are removed again."""
    path = Path(path)
    created = [place for place in (path, *path.parents) if not os.path.exists(place)]
    try:
        path.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise InputError(f"Expected a folder at {path}, found a file. Choose another name.") from error
    except OSError as error:
        raise InputError(f"{path} cannot be created ({error.strerror}). Choose another folder.") from error
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # one is not empty, and so its parents
            for place in created:
                place.rmdir()


def _remove(path):
    with contextlib.suppress(OSError):  # Windows removes no open file
        os.remove(path)
