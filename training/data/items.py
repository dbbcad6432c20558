"""Encoded images by index: what a source of image files gives, before anything is decoded.

A new kind of storage is a class like `FileItems`, with its methods.
"""

import contextlib
import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from keras_vit.errors import InputError
from keras_vit.io.files import is_full_disk, read_at, read_bytes
from keras_vit.io.images import MAX_FILE_SIZE
from keras_vit.training.data import file_samples
from keras_vit.training.data.file_samples import SAMPLE

try:
    import resource
except ImportError:  # Windows
    resource = None

_CHUNK = 256  # files that a thread reads at a time
_THREADS = 16  # which wait for the disk most of the time
_WAITED = 0.5  # share of the files, or of the time, from which on they do
_RECORD = np.dtype([("size", "<i8"), ("time", "<i8"), ("stamp", "<u8"), ("sample", "<u8")])


class FileItems:
    """Image files. `table` has the columns of a table with a row for each."""

    def __init__(self, root: Path, paths: Sequence[str], table: Mapping[str, Sequence] | None = None):
        self.root, self.paths = root, paths
        if table is not None:
            self.table = table
        own, *others = file_samples.shares(len(paths))
        self._samples = None
        if others and not self._is_slow():
            found = self._records(own, others)
            self._samples, self._stamps = found["sample"], found["stamp"]
            self.sizes = found["size"]  # bytes
        else:
            self.sizes, self._stamps = self._facts()

    def __len__(self):
        return len(self.paths)

    def read(self, index: int) -> bytes:
        """Returns the bytes of an image file."""
        return read_bytes(self.paths[index], "an image file", MAX_FILE_SIZE)

    def name(self, index: int) -> str:
        """Returns what messages call an image."""
        return self.paths[index]

    def short_name(self, index: int) -> str:
        """Returns what messages call an image that name the folder too."""
        return os.path.relpath(self.paths[index], self.root)

    def relative_path(self, index: int) -> str:
        """Returns the path of an image within the folder, with slashes on every system."""
        return self.short_name(index).replace(os.sep, "/")

    def stamps(self) -> np.ndarray:
        """Returns a uint64 for each image that changes with the file: of its path, size and time."""
        return self._stamps

    def contents(self) -> np.ndarray:
        """Returns a uint64 for each image that is the same for equal files, wherever they are.

        A file that cannot be read is like no other.
        """
        if self._samples is None:
            self._samples = self._hashed(self._sample, range(len(self)))
        return told_apart(self._samples, self.sizes, lambda indices: self._hashed(self._content, indices))

    def _records(self, own, others):
        """Sizes, stamps and samples of many files, of which other processes read a part."""
        with contextlib.ExitStack() as readers, self._absent_reported():
            results = []
            with contextlib.suppress(OSError):  # no processes, or no temporary files
                for part in others:
                    results.append(readers.enter_context(file_samples.reader(self.paths[part])))
            found = [file_samples.records(self.paths[own])]
            for number, part in enumerate(others):
                read = results[number]() if number < len(results) else None
                found.append(file_samples.records(self.paths[part]) if read is None else read)
        return np.frombuffer(b"".join(found), _RECORD)

    def _is_slow(self):
        """Whether reading some of many files mostly is waiting: then threads should read them."""
        some, began = range(0, len(self), max(1, len(self) // _CHUNK)), _waits()
        hashes(map(self._sample, some))
        return _waited(began, len(some))

    def _hashed(self, read, indices):
        """The hash of what a function reads of some files, with many threads where the disk is waited for."""
        parts = [indices[start : start + _CHUNK] for start in range(0, len(indices), _CHUNK)]
        found = []
        while len(found) < len(parts):
            part, began = parts[len(found)], _waits()
            found.append(hashes(map(read, part)))
            if _waited(began, len(part)):  # else threads only wait for each other
                with ThreadPoolExecutor(_THREADS) as pool:
                    found += pool.map(lambda part: hashes(map(read, part)), parts[len(found) :])
        return np.concatenate(found) if found else np.zeros(0, np.uint64)

    def _facts(self):
        """The sizes and the stamps of few files, or of those on a slow disk."""
        with self._absent_reported():
            found = [(found.st_size, found.st_mtime_ns) for found in map(os.stat, self.paths)]
        here = os.fsencode(os.getcwd())
        facts = zip(self.paths, found, strict=True)
        stamps = hashes(file_samples.stamp(path, *each, here) for path, each in facts)
        return np.array([size for size, _ in found], np.int64), stamps

    @contextlib.contextmanager
    def _absent_reported(self):
        try:
            yield
        except OSError as error:
            raise InputError(f"Expected an image file at {error.filename}: {error.strerror}.") from error

    def _content(self, index):
        try:
            return Path(self.paths[index]).read_bytes()
        except OSError:
            return os.fsencode(self.paths[index])

    def _sample(self, index):
        return file_samples.read_sample(self.paths[index])


class StoredItems:
    """Encoded images that a source gives one after another, kept in a temporary file.

    The file has no name and is removed with the object. It is in the folder named by `TMPDIR`.
    `stamp` changes with the images of the source.
    """

    def __init__(self, images: Iterable[tuple[str, bytes]], source: str, stamp: str):
        self._source, self._stamp = source, stamp
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115, open as long as the object
        self._names, digests, ends = [], [], []
        for name, image in images:
            self._append(image)
            self._names.append(name)
            digests.append(digest(image))
            ends.append(self._file.tell())
        self._contents, self._ends = np.array(digests, np.uint64), [0, *ends]

    def __len__(self):
        return len(self._contents)

    @property
    def sizes(self) -> np.ndarray:
        """The bytes of each image."""
        return np.diff(self._ends)

    def read(self, index: int) -> bytes:
        """Returns the bytes of an encoded image."""
        start, end = self._ends[index : index + 2]
        return read_at(self._file.fileno(), end - start, start)

    def name(self, index: int) -> str:
        """Returns what messages call an image."""
        return f"{self._names[index]} of {self._source}"

    def short_name(self, index: int) -> str:
        """Returns what messages call an image that name the source too."""
        return self._names[index]

    def stamps(self) -> np.ndarray:
        """Returns a uint64 for each image that changes with the source."""
        return hashes(f"{self._stamp}\0{index}".encode() for index in range(len(self)))

    def contents(self) -> np.ndarray:
        """Returns a uint64 for each image that is the same for equal ones."""
        return self._contents

    def _append(self, image):
        try:
            if self._file.write(image) == len(image):
                return
        except OSError as error:
            if not is_full_disk(error):
                raise
        raise InputError(
            f"No space is left in {tempfile.gettempdir()} for the images of {self._source}. Set TMPDIR to a "
            "folder on a larger disk."
        )


def _waits():
    """The time, that of this thread on a core, and how often it had to wait, None where none counts it."""
    is_counted = resource is not None and hasattr(resource, "RUSAGE_THREAD")
    count = resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw if is_counted else None
    return time.perf_counter(), time.thread_time(), count


def _waited(began, count):
    """Whether a thread mostly waited for the disk while it read `count` files, and not for a core."""
    passed, computed, waits = (
        None if now is None else now - before for now, before in zip(_waits(), began, strict=True)
    )
    return passed - computed > _WAITED * passed and (waits is None or waits > _WAITED * count)


def told_apart(found: np.ndarray, sizes: np.ndarray, read_whole: Callable) -> np.ndarray:
    """Returns the hashes of sampled files, with others for those that differ where they were not sampled.

    Images with a background of one colour may be equal in the middle. `read_whole` returns the hashes of
    the whole files of some indices.
    """
    _, group, counts = np.unique(found, return_inverse=True, return_counts=True)
    alike = np.flatnonzero((counts[group] > 1) & (sizes > SAMPLE))
    alike = alike[np.argsort(group[alike], kind="stable")]
    whole = read_whole(alike.tolist())
    found = found.copy()
    for members in np.split(np.arange(len(alike)), np.flatnonzero(np.diff(group[alike])) + 1):
        if len(np.unique(whole[members])) > 1:
            found[alike[members]] = whole[members]
    return found


def sampled(content: bytes) -> bytes:
    """Returns what identifies an image file: its size and some bytes, or all of a small one."""
    size = len(content)
    if size <= SAMPLE:
        return bytes(content)
    return size.to_bytes(8, "little") + content[(size - SAMPLE) // 2 :][:SAMPLE]


def digest(content: bytes) -> int:
    """Returns a uint64 hash of some bytes."""
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little")


def hashes(contents: Iterable[bytes]) -> np.ndarray:
    """Returns the uint64 hash of each of some bytes."""
    digests = [hashlib.blake2b(content, digest_size=8).digest() for content in contents]
    return np.frombuffer(b"".join(digests), "<u8").astype(np.uint64)
