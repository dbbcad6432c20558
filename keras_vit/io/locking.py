"""Files and folders in which one process works at a time."""

import contextlib
import os
from pathlib import Path

from keras_vit.errors import InputError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None


@contextlib.contextmanager
def exclusively(path, busy):
    """Keeps other processes that come here out while the block runs, where the system can do so.

    Args:
        path: Path of a file or a folder.
        busy: str, what to say when another is in already.

    Raises:
        InputError: there is one.
    """
    if fcntl is None:
        yield
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise InputError(busy) from error
    except OSError:  # a file system of a network that knows no locks
        pass
    try:
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def folder_of_its_own(path):
    """Makes a folder where there is none; one that the block leaves empty does not stay, nor its parents.

    Raises:
        InputError: no folder can be made here.
    """
    path = Path(path)
    made = [place for place in (path, *path.parents) if not os.path.exists(place)]
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{path} cannot be made ({error.strerror}). Choose another --run-dir.") from error
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # one holds something, and then those above it do
            for place in made:
                place.rmdir()
