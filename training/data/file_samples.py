"""What is known of a file before it is decoded: size, time, and what identifies it.

Of many files other processes read a part. These run this file alone, without any package, so it imports
nothing else of the library.
"""

import contextlib
import hashlib
import os
import struct
import sys
from collections.abc import Iterable, Iterator, Sequence

SAMPLE = 4096  # bytes
RECORD = struct.Struct("<qq8s8s")  # of a file: bytes, nanoseconds, hash of its stamp, hash of its sample
_EACH = 5000  # files that are worth another process
_MOST = 15  # other processes
_READ_ONLY = os.O_RDONLY | getattr(os, "O_BINARY", 0)


def read_sample(path: str | bytes) -> bytes:
    """Returns the size of a file and some bytes, all of a small one, or the path of an unreadable one."""
    try:
        return _read(path)[2]
    except OSError:  # removed since
        return os.fsencode(path)


def records(paths: Iterable[str | bytes]) -> bytes:
    """Returns a `RECORD` of each file.

    Raises:
        OSError: there is no such file. One that cannot be read is like no other.
    """
    here, found = os.fsencode(os.getcwd()), []
    for path in paths:
        size, time, sample = _read(path)
        found.append(RECORD.pack(size, time, _hash(stamp(path, size, time, here)), _hash(sample)))
    return b"".join(found)


def stamp(path: str | bytes, size: int, time: int, here: bytes) -> bytes:
    """Returns what changes with a file: where it is, seen from the current folder, its size and its time."""
    path = os.fsencode(path)
    place = path if path.startswith(b"/") else os.path.join(here, path)
    return b"%b\0%d\0%d" % (place, size, time)


def shares(count: int) -> list[slice]:
    """Returns which of many files each process reads: first this one, then others on the other cores."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    processes = max(1, min(cores, _MOST + 1, count // _EACH))
    edges = [count * number // processes for number in range(processes + 1)]
    return [slice(*each) for each in zip(edges[:-1], edges[1:], strict=True)]


@contextlib.contextmanager
def reader(paths: Sequence[str]) -> Iterator:
    """Starts a process that reads some files; yields a function that waits for the `records` of these.

    The function returns None where the process could not do it.
    """
    import subprocess
    import tempfile

    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as found:
        given.write(b"\0".join(map(os.fsencode, paths)))
        given.seek(0)
        command = [sys.executable or "", "-I", "-S", __file__]
        process = subprocess.Popen(command, stdin=given, stdout=found, stderr=subprocess.DEVNULL)

        def result():
            process.wait()
            found.seek(0)
            content = found.read()
            return content if process.returncode == 0 and len(content) == RECORD.size * len(paths) else None

        try:
            yield result
        finally:
            process.kill()
            process.wait()


def _read(path):
    """Size, time and sample of a file."""
    try:
        file = os.open(path, _READ_ONLY)
    except OSError:  # which the examination of the images reports, unless there is none
        found = os.stat(path)
        return found.st_size, found.st_mtime_ns, os.fsencode(path)
    try:
        found = os.fstat(file)
        size = found.st_size
        if size <= SAMPLE:
            sample = os.read(file, SAMPLE)
        else:
            sample = size.to_bytes(8, "little") + _read_at(file, (size - SAMPLE) // 2)
    except OSError:
        sample = os.fsencode(path)
    finally:
        os.close(file)
    return size, found.st_mtime_ns, sample


def _read_at(file, offset):
    if hasattr(os, "pread"):
        return os.pread(file, SAMPLE, offset)
    os.lseek(file, offset, os.SEEK_SET)  # Windows
    return os.read(file, SAMPLE)


def _hash(content):
    return hashlib.blake2b(content, digest_size=8).digest()


if __name__ == "__main__":
    sys.stdout.buffer.write(records(sys.stdin.buffer.read().split(b"\0")))
