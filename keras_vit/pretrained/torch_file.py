"""Reads torch's `.bin`, `.pth` and `.pt` files without torch and without running code in them."""

import collections
import functools
import math
import pickle
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_vit.errors import InputError
from keras_vit.io.archive import check_zip
from keras_vit.pretrained.tensors import Tensor, Tensors, as_float32

MAX_PICKLE_SIZE = 4 * 2**20  # bytes; thousands of tensors need one MB
MAX_AXES = 8
_STORAGES = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "BFloat16Storage": "<u2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ByteStorage": "<u1",
    "BoolStorage": "?",
}
_WRAPPERS = ("state_dict", "model", "teacher", "state_dict_ema", "model_ema")


class _Storage(NamedTuple):
    kind: str
    key: str
    size: int


class _Tensor(NamedTuple):
    storage: _Storage
    offset: int
    shape: tuple
    strides: tuple


def read_torch(path: Path) -> Tensors:
    """Returns the named tensors of a zip file of `torch.save`, which may be under a key such as "model".

    A file with more than tensors, or in the format before torch 1.6, is refused.
    """
    archive, root, content = _unpickled(path)
    tensors = {}
    for name, tensor in _named_tensors(content, path).items():
        if not _is_inside(tensor, archive, root):
            raise InputError(f"{path} is damaged: {name} points outside the stored data.")
        tensors[name] = Tensor(
            tensor.shape, functools.partial(_read, tensor, archive, root, f"{path}: {name}")
        )
    return Tensors(path, tensors)


def _read(tensor, archive, root, what):
    storage, offset, shape, strides = tensor
    try:
        data = archive.read(f"{root}data/{storage.key}")
    except (zipfile.BadZipFile, OSError, EOFError) as error:
        raise InputError(f"{what} is damaged: {error}.") from error
    flat = np.frombuffer(data, _STORAGES[storage.kind])[offset:]
    strides = [step * flat.itemsize for step in strides]
    array = np.lib.stride_tricks.as_strided(flat, shape, strides, writeable=False)
    return as_float32(array, storage.kind == "BFloat16Storage")


def _is_inside(tensor, archive, root):
    storage, offset, shape, strides = tensor
    if not isinstance(storage, _Storage) or len(shape) != len(strides) or len(shape) > MAX_AXES:
        return False
    last = offset + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
    member = archive.NameToInfo.get(f"{root}data/{storage.key}")
    itemsize = np.dtype(_STORAGES[storage.kind]).itemsize
    if member is None or min(offset, *shape, *strides) < 0 or math.prod(shape) * itemsize > member.file_size:
        return False
    return 0 in shape or (last + 1) * itemsize <= member.file_size


class _TensorsOnly(pickle.Unpickler):
    """Allows only the globals that tensors need, each replaced by a function of this module."""

    def find_class(self, module, name):
        if module == "torch" and name in _STORAGES:
            return name
        known = {
            ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
            ("torch._utils", "_rebuild_parameter"): lambda tensor, *_: tensor,
            ("collections", "OrderedDict"): collections.OrderedDict,
        }
        if (module, name) not in known:
            raise InputError(
                f"the file contains {module}.{name}, which is not a tensor and is not run. Save only the "
                "weights, best as safetensors."
            )
        return known[module, name]

    def persistent_load(self, reference):
        kind, storage, key, _, size = reference
        if kind != "storage" or storage not in _STORAGES:
            raise pickle.UnpicklingError(f"unknown reference {reference!r}")
        return _Storage(storage, str(key), int(size))


def _rebuild_tensor(storage, offset, shape, strides, *_):
    return _Tensor(storage, int(offset), tuple(map(int, shape)), tuple(map(int, strides)))


def _unpickled(path):
    if not zipfile.is_zipfile(path):
        raise InputError(
            f"{path} is truncated, not a torch file, or of the format before torch 1.6, which is not read. "
            "Save it again as safetensors."
        )
    check_zip(path)
    try:
        archive = zipfile.ZipFile(path)
        member = next(n for n in archive.namelist() if n.rpartition("/")[2] == "data.pkl")
        if archive.getinfo(member).file_size > MAX_PICKLE_SIZE:
            raise InputError(f"{path}: its index has more than {MAX_PICKLE_SIZE:,} bytes and is not read.")
        with archive.open(member) as file:
            return archive, member.removesuffix("data.pkl"), _TensorsOnly(file).load()
    except InputError as error:
        raise InputError(f"{path} is refused: {error}") from error
    except StopIteration as error:
        raise InputError(f"{path} is a zip file, but not of torch.save: it has no data.pkl.") from error
    except Exception as error:  # a truncated or forged pickle raises nearly every type
        raise InputError(f"{path} is damaged: {type(error).__name__} in its index.") from error


def _named_tensors(content, path):
    for wrapper in _WRAPPERS:
        if isinstance(content, dict) and isinstance(content.get(wrapper), dict):
            content = content[wrapper]
            break
    if not isinstance(content, dict):
        raise InputError(f"{path} contains no named tensors: expected a state_dict.")
    tensors = {str(k).removeprefix("module."): v for k, v in content.items() if isinstance(v, _Tensor)}
    if not tensors:
        raise InputError(f"{path} contains no tensors: expected a state_dict.")
    return tensors
