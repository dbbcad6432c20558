"""Reads Google's `.npz` files, one array at a time."""

import functools
import math
import zipfile
from pathlib import Path

import numpy as np

from keras_vit.errors import InputError
from keras_vit.io.archive import check_zip
from keras_vit.pretrained.tensors import Tensor, Tensors, as_float32

_ERRORS = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, NotImplementedError, RuntimeError)
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def read_npz(path: Path) -> Tensors:
    """Returns the tensors of an `.npz` archive. Arrays of objects, which could run code, are refused."""
    check_zip(path)
    tensors = {}
    try:
        archive = zipfile.ZipFile(path)
        members = [member for member in archive.namelist() if member.endswith(".npy")]
        headers = {member.removesuffix(".npy"): _header(archive, member) for member in members}
    except _ERRORS as error:
        raise InputError(f"{path} is truncated or not an .npz file: {error}.") from error
    for name, (shape, dtype) in headers.items():
        if dtype.hasobject:
            raise InputError(f"{path}: {name} contains Python objects, which are not read from a file.")
        if dtype.kind not in "fiu" and dtype != "V2":
            raise InputError(f"{path}: {name} is an array of {dtype}, expected real numbers.")
        tensors[name] = Tensor(shape, functools.partial(_read, archive, name, path))
    return Tensors(path, tensors)


def _header(archive, member):
    with archive.open(member) as file:
        shape, _, dtype = _HEADERS[np.lib.format.read_magic(file)](file)
    size = math.prod(shape) * dtype.itemsize
    if size > archive.getinfo(member).file_size:
        raise ValueError(f"{member} should have {size:,} bytes and has fewer")
    return shape, dtype


def _read(archive, name, path):
    try:
        with archive.open(f"{name}.npy") as file:
            array = np.lib.format.read_array(file, allow_pickle=False)
    except (*_ERRORS, MemoryError) as error:
        raise InputError(f"{path}: {name} cannot be read: {error}.") from error
    if array.dtype.kind == "V":  # JAX stores bfloat16 as two bytes without a type
        return as_float32(array.view("<u2"), is_bfloat16=True)
    return as_float32(array)
