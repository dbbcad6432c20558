"""Encoded images in tables of Hugging Face's `datasets`, by index."""

import os
from collections.abc import Mapping

import numpy as np

from keras_vit.errors import InputError
from keras_vit.io.files import read_bytes
from keras_vit.io.images import MAX_FILE_SIZE
from keras_vit.training.data.items import digest, hashes, sampled, told_apart


class Columns(Mapping):
    """The columns of some tables of `datasets` one after another, each read when it is asked for."""

    def __init__(self, tables):
        self._tables = list(tables.values())

    def __getitem__(self, name):
        if name not in self._tables[0].column_names:
            raise KeyError(name)
        return [value for table in self._tables for value in table[name]]

    def __iter__(self):
        return iter(self._tables[0].column_names)

    def __len__(self):
        return len(self._tables[0].column_names)


class RowItems:
    """The encoded images of some tables of `datasets`, see `keras_vit.training.data.items`."""

    def __init__(self, tables, column: str, source: str):
        self.table = Columns(tables)
        self._tables, self._column, self._source = tables, column, source
        self._starts = np.cumsum([0, *(len(table) for table in tables.values())])
        self._paths = {}  # of images that are files next to the table
        samples = list(self._samples())
        self.sizes = np.array([size for size, _ in samples], np.int64)
        found = hashes(sample for _, sample in samples)
        self._contents = told_apart(found, self.sizes, lambda rows: hashes(map(self.read, rows)))

    def __len__(self):
        return int(self._starts[-1])

    def read(self, index: int) -> bytes:
        """Returns the bytes of an image file."""
        split, row = self._place(index)
        found = self._tables[split][row][self._column] or {}
        return _content(found.get("bytes"), found.get("path"), self.name(index))

    def name(self, index: int) -> str:
        """Returns what messages call an image."""
        return f"{self.short_name(index)} of {self._source}"

    def short_name(self, index: int) -> str:
        """Returns what messages call an image that name the source too."""
        split, row = self._place(index)
        return f"{row} in {split}"

    def stamps(self) -> np.ndarray:
        """Returns a uint64 for each image that changes with any of its bytes.

        That is told by the files in which `datasets` keeps the tables, which it writes anew for a set that
        changed, and by all bytes of tables in memory.
        """
        kept = {split: table.cache_files for split, table in self._tables.items()}
        if not all(kept.values()):
            return hashes(map(self._bytes, range(len(self))))
        of_tables = (_facts(file["filename"]) for files in kept.values() for file in files)
        table = digest(b"\0".join(of_tables))
        of_files = (_facts(self._paths[index]) if index in self._paths else b"" for index in range(len(self)))
        return hashes(b"%d\0%d\0%b" % (table, index, file) for index, file in enumerate(of_files))

    def contents(self) -> np.ndarray:
        """Returns a uint64 for each image that is the same for equal files."""
        return self._contents

    def _bytes(self, index):
        try:
            return self.read(index)
        except InputError:  # which the examination of the images reports
            return f"{index}".encode()

    def _samples(self):
        """The size and the sample of each image; those in the table are not copied."""
        index = 0
        for table in self._tables.values():
            for chunk in table.data.column(self._column).chunks:
                for inside, path in zip(chunk.field("bytes"), chunk.field("path"), strict=True):
                    if not inside.is_valid and path.is_valid:
                        self._paths[index] = path.as_py()
                    try:
                        view = memoryview(_content(inside.as_buffer(), path.as_py(), ""))
                    except InputError:  # it is like no other
                        view = f"none {index}".encode()
                    yield len(view), sampled(view)
                    index += 1

    def _place(self, index):
        table = int(np.searchsorted(self._starts, index, side="right")) - 1
        return list(self._tables)[table], int(index) - int(self._starts[table])


def _content(inside, path, name):
    """The bytes of an image, in the table or in a file."""
    if inside is not None:
        return inside
    if path is None:
        raise InputError(f"Expected an image in {name}, found none.")
    return read_bytes(path, "an image file", MAX_FILE_SIZE)


def _facts(path):
    """The path, the size and the time of a file."""
    try:
        found = os.stat(path)
    except OSError:  # which the examination of the images reports
        return os.fsencode(path)
    return os.fsencode(f"{os.path.abspath(path)}\0{found.st_size}\0{found.st_mtime_ns}")
