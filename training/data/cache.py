"""Decoded images on the disk, which every command that reads the same files shares.

The folder is named by `KERAS_VIT_CACHE`, by default `~/.cache/keras_vit`; `KERAS_VIT_CACHE=off` keeps
nothing. In it each data set has a folder, which has one for each size that images are reduced to. That
contains pairs of files, one for each process that writes at the same time: `N.images`, the pixels one after
another, and `N.index`, a record for each image, which is written after its pixels: a process that is killed
leaves nothing that is read as an image.
"""

import errno
import math
import os
import shutil
import threading
import time
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout

from keras_vit.errors import warn
from keras_vit.io.cache_root import VARIABLE, cache_root, is_off
from keras_vit.io.files import is_full_disk
from keras_vit.training.data.items import digest

UNUSED_DAYS = 30  # after which a data set is removed
RECORD = np.dtype([("stamp", "<u8"), ("offset", "<i8"), ("shape", "<i4", 3), ("unused", "<i4")])
_MOST_WRITERS = 64


class Cache:
    """Decoded images of a data set by the stamps of their files. Threads and processes may share it."""

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        os.utime(folder.parent)
        self._lock = threading.Lock()
        self._places, self._files, self._read = {}, {}, {}
        self._writer = _Writer.open(folder)
        self.refresh()

    def missing(self, stamps: np.ndarray) -> int:
        """Returns how many of some images are not there."""
        return sum(int(stamp) not in self._places for stamp in stamps)

    def shape(self, stamp) -> tuple[int, int, int] | None:
        """Returns `(height, width, channels)` of the image of a stamp, or None."""
        place = self._places.get(int(stamp))
        return place and place[2:]

    def get(self, stamp, first: int = 0, end: int | None = None) -> np.ndarray | None:
        """Returns the image of a stamp, or its rows `first` to `end`, uint8 `(height, width, channels)`.

        None where it is not there.
        """
        if (place := self._places.get(int(stamp))) is None:
            return None
        file, offset, height, width, channels = place
        shape = (height if end is None else end) - first, width, channels
        content = os.pread(self._files[file], math.prod(shape), offset + first * width * channels)
        if len(content) < math.prod(shape):  # another program cut the file
            return None
        return np.frombuffer(content, np.uint8).reshape(shape)

    def put(self, stamp, image: np.ndarray):
        """Adds an image. Where the disk is full, it warns once and adds nothing more."""
        with self._lock:
            if self._writer is None or int(stamp) in self._places:
                return
            try:
                offset = self._writer.append(stamp, image)
            except OSError as error:
                self._stop(error)
                return
            name = self._writer.name
            self._files.setdefault(name, self._writer.images)
            self._places[int(stamp)] = (name, offset, *image.shape)

    def refresh(self):
        """Finds the images that other processes have added."""
        for index in self.folder.glob("*.index"):
            name, own = index.stem, self._writer and self._writer.name
            if name not in self._files:
                path = index.with_suffix(".images")
                self._files[name] = self._writer.images if name == own else os.open(path, os.O_RDONLY)
            self._read_index(index, name)

    def close(self):
        """Lets other processes write to this one's files."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _read_index(self, index, name):
        start = self._read.get(name, 0)
        with open(index, "rb") as file:
            file.seek(start)
            content = file.read()
        records = _records(content)
        self._read[name] = start + records.nbytes
        lie_within = _lie_within(records, os.fstat(self._files[name]).st_size)
        columns = (records[lie_within][field].tolist() for field in ("stamp", "offset", "shape"))
        for stamp, offset, shape in zip(*columns, strict=True):
            self._places[stamp] = (name, offset, *shape)

    def _stop(self, error):
        self._writer.close()
        self._writer = None
        if not is_full_disk(error):
            raise error
        warn(
            f"No space is left in {self.folder} for decoded images: the others are decoded each time they "
            f"are used. Nothing is lost. {VARIABLE} names another folder."
        )


class _Writer:
    """A pair of files that this process alone writes."""

    def __init__(self, folder, name, lock):
        self.name, self._lock = name, lock
        flags = os.O_RDWR | os.O_CREAT
        self.images = os.open(folder / f"{name}.images", flags, 0o644)
        self._index = os.open(folder / f"{name}.index", flags | os.O_APPEND, 0o644)
        self._end = os.lseek(self.images, 0, os.SEEK_END)
        # After a kill a part of the last record may be missing, after a power failure pixels of some.
        records = _records(os.pread(self._index, os.fstat(self._index).st_size, 0))
        lie_within = _lie_within(records, self._end)
        whole = len(records) if lie_within.all() else int(lie_within.argmin())
        os.ftruncate(self._index, whole * RECORD.itemsize)

    @classmethod
    def open(cls, folder):
        """Returns the writer of the first pair that no other process writes, or None where there is none."""
        for number in range(_MOST_WRITERS):
            lock = FileLock(folder / f"{number}.lock", blocking=False)
            try:
                lock.acquire()
            except Timeout:
                continue
            except (OSError, NotImplementedError):  # no locks here, or a folder that cannot be written
                return None
            return cls(folder, str(number), lock)
        return None

    def append(self, stamp, image):
        """Writes an image, and then its record; returns its place."""
        offset, content = self._end, memoryview(np.ascontiguousarray(image)).cast("B")
        written = 0
        while written < len(content):
            written += os.pwrite(self.images, content[written:], offset + written)
        self._end += len(content)
        record = np.array([(stamp, offset, image.shape, 0)], RECORD).tobytes()
        if os.write(self._index, record) < len(record):
            raise OSError(errno.ENOSPC, "No space left on device")
        return offset

    def close(self):
        """Gives the files free; images written so far can still be read."""
        os.close(self._index)
        self._lock.release()


def _records(content):
    return np.frombuffer(content, RECORD, len(content) // RECORD.itemsize)


def _lie_within(records, size):
    """Which records are of images within a file of so many bytes; those of a damaged index are of none."""
    sides = records["shape"].astype(float)  # whose product may have any size
    return (
        (sides > 0).all(axis=1) & (records["offset"] >= 0) & (records["offset"] + sides.prod(axis=1) <= size)
    )


def cache_folder(source: str) -> Path | None:
    """Returns the folder of a data set, whose source is a path or a name; None where nothing is kept."""
    if is_off() or not hasattr(os, "pread"):
        return None
    place = os.path.abspath(source) if os.path.exists(source) else source
    return cache_root() / "images" / f"{digest(os.fsencode(place)):016x}"


def free_space(folder: Path) -> int:
    """Returns the bytes that are free where a folder is or would be."""
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    return shutil.disk_usage(existing).free


def remove_unused(folder: Path):
    """Removes the data sets next to a folder that no command has used for `UNUSED_DAYS`."""
    oldest = time.time() - UNUSED_DAYS * 86400
    for path in folder.parent.iterdir() if folder.parent.is_dir() else ():
        if path.is_dir() and path.stat().st_mtime < oldest:
            shutil.rmtree(path, ignore_errors=True)
