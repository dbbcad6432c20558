"""Reads Google's `.npz` files, one array at a time."""

import zipfile

import numpy as np

from keras_vit.errors import InputError
from keras_vit.io.archive import check_zip
from keras_vit.pretrained.safetensors_file import widened
from keras_vit.pretrained.tensors import Tensors

_FAILURES = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, NotImplementedError, RuntimeError)


class NpzFile(Tensors):
    """An `.npz` archive. Arrays of Python objects, which would run code, are refused.

    Raises:
        InputError: truncated, no archive, or holding what is no array of numbers.
    """

    def __init__(self, path):
        super().__init__(path)
        check_zip(path)
        try:
            self._archive = zipfile.ZipFile(path)
            members = [n for n in self._archive.namelist() if n.endswith(".npy")]
            self._headers = {name.removesuffix(".npy"): self._header(name) for name in members}
        except _FAILURES as error:
            raise InputError(f"{path} is truncated or no .npz file: {error}.") from error
        for name, (_, dtype) in self._headers.items():
            if dtype.hasobject:
                raise InputError(f"{path}: {name} holds Python objects, which are not read from a file.")
            if dtype.kind not in "fiu" and dtype != "V2":
                raise InputError(f"{path}: {name} holds {dtype}, and no real numbers.")

    def names(self):
        return self._headers.keys()

    def shape(self, name):
        return self._headers[name][0]

    def __getitem__(self, name):
        shape, dtype = self._headers[name]
        try:
            with self._archive.open(f"{name}.npy") as file:
                array = np.lib.format.read_array(file, allow_pickle=False)
        except (*_FAILURES, MemoryError) as error:
            raise InputError(f"{self.where}: {name} cannot be read: {error}.") from error
        # JAX stores bfloat16 as two bytes without a type.
        return (
            widened(array.view("<u2"), True) if dtype.itemsize == 2 and dtype.kind == "V" else widened(array)
        )

    def _header(self, member):
        with self._archive.open(member) as file:
            version = np.lib.format.read_magic(file)
            read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
            shape, _, dtype = read[version](file)
        stated = int(np.prod(shape, dtype=object)) * dtype.itemsize
        if stated > self._archive.getinfo(member).file_size:
            raise ValueError(f"{member} states {stated:,} bytes and holds fewer")
        return shape, dtype
