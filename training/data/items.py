"""Encoded images by index: what a source of image files gives, before anything is decoded.

A new kind of storage is a class like `FileItems`, with its methods.
"""

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

SAMPLE = 4096  # bytes in the middle of a file that identify it, together with its size
_CHUNK = 256  # files that a thread reads at a time
_THREADS = 16  # which wait for the disk most of the time
_WAITED = 0.5  # share of the time from which on they do


class FileItems:
    """Image files. `table` has the columns of a table with a row for each."""

    def __init__(self, root: Path, paths: Sequence[str], table: Mapping[str, Sequence] | None = None):
        self.root, self.paths = root, paths
        if table is not None:
            self.table = table
        facts = np.fromiter(map(self._facts, paths), np.dtype((np.int64, 2)), len(paths))
        self.sizes, self._times = facts.T  # bytes, nanoseconds

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
        here = os.getcwd()
        places = (path if path.startswith("/") else os.path.join(here, path) for path in self.paths)
        facts = zip(places, self.sizes.tolist(), self._times.tolist(), strict=True)
        return hashes(os.fsencode(f"{place}\0{size}\0{time}") for place, size, time in facts)

    def contents(self) -> np.ndarray:
        """Returns a uint64 for each image that is the same for equal files, wherever they are.

        A file that cannot be read is like no other.
        """
        found = self._hashed(self._sample, range(len(self)))
        return told_apart(found, self.sizes, lambda indices: self._hashed(self._content, indices))

    def _hashed(self, read, indices):
        """The hash of what a function reads of some files, with many threads where the disk is waited for."""
        parts = [indices[start : start + _CHUNK] for start in range(0, len(indices), _CHUNK)]
        found = []
        while len(found) < len(parts):
            began, computed = time.perf_counter(), time.thread_time()
            found.append(hashes(map(read, parts[len(found)])))
            waited = time.perf_counter() - began - (time.thread_time() - computed)
            if waited > _WAITED * (time.perf_counter() - began):  # else threads only wait for each other
                with ThreadPoolExecutor(_THREADS) as pool:
                    found += pool.map(lambda part: hashes(map(read, part)), parts[len(found) :])
        return np.concatenate(found) if found else np.zeros(0, np.uint64)

    def _facts(self, path):
        try:
            found = os.stat(path)
        except OSError as error:
            raise InputError(f"Expected an image file at {path}: {error.strerror}.") from error
        return found.st_size, found.st_mtime_ns

    def _content(self, index):
        try:
            return Path(self.paths[index]).read_bytes()
        except OSError:
            return os.fsencode(self.paths[index])

    def _sample(self, index):
        """What `sampled` returns, without reading the whole file."""
        size, path = int(self.sizes[index]), self.paths[index]
        try:
            file = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
            try:
                if size <= SAMPLE:
                    return os.read(file, SAMPLE)
                return size.to_bytes(8, "little") + read_at(file, SAMPLE, (size - SAMPLE) // 2)
            finally:
                os.close(file)
        except OSError:  # which the examination of the images reports
            return os.fsencode(path)


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
    return np.fromiter((digest(content) for content in contents), np.uint64)
