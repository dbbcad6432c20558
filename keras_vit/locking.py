"""Files and folders in which one process works at a time."""

import contextlib
import os

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
