"""Reads torch's `.bin`, `.pth` and `.pt` files without torch and without running what is in them."""

import collections
import math
import pickle
import zipfile
from typing import NamedTuple

import numpy as np

from keras_vit.errors import InputError
from keras_vit.io.archive import check_zip
from keras_vit.pretrained.safetensors_file import widened
from keras_vit.pretrained.tensors import Tensors

PICKLE_SIZE = 4 * 2**20  # bytes; the largest real ones, of thousands of tensors, have one MB
MOST_AXES = 8
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


class TorchFile(Tensors):
    """A zip file of `torch.save` that holds named tensors, bare or under `"state_dict"` or `"model"`.

    Raises:
        InputError: truncated, of the format before torch 1.6, or holding anything else than tensors.
    """

    def __init__(self, path):
        super().__init__(path)
        self._archive, self._root, content = _unpickled(path)
        self._tensors = _named_tensors(content, path)
        for name, tensor in self._tensors.items():
            if not self._is_inside(tensor):
                raise InputError(f"{self.where} is damaged: {name} points outside the stored data.")

    def names(self):
        return self._tensors.keys()

    def shape(self, name):
        return self._tensors[name].shape

    def __getitem__(self, name):
        storage, offset, shape, strides = self._tensors[name]
        try:
            data = self._archive.read(f"{self._root}data/{storage.key}")
        except (zipfile.BadZipFile, OSError, EOFError) as error:
            raise InputError(f"{self.where} is damaged at {name}: {error}.") from error
        flat = np.frombuffer(data, _STORAGES[storage.kind])[offset:]
        strides = [step * flat.itemsize for step in strides]
        array = np.lib.stride_tricks.as_strided(flat, shape, strides, writeable=False)
        return widened(array, storage.kind == "BFloat16Storage")

    def _is_inside(self, tensor):
        storage, offset, shape, strides = tensor
        if not isinstance(storage, _Storage) or len(shape) != len(strides) or len(shape) > MOST_AXES:
            return False
        last = offset + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
        member = self._archive.NameToInfo.get(f"{self._root}data/{storage.key}")
        itemsize = np.dtype(_STORAGES[storage.kind]).itemsize
        inside = offset >= 0 and all(n >= 0 for n in shape) and all(step >= 0 for step in strides)
        if member is None or not inside or math.prod(shape) * itemsize > member.file_size:
            return False
        return 0 in shape or (last + 1) * itemsize <= member.file_size


class _TensorsOnly(pickle.Unpickler):
    """Knows the globals that tensors need, each replaced by a function of ours, and no other."""

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
                f"the file names {module}.{name}, which is no tensor; it is not run. Save the weights alone, "
                "best as safetensors."
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
            f"{path} is truncated, no torch file, or of the format before torch 1.6, which is not read. "
            "Save it again as safetensors."
        )
    check_zip(path)
    try:
        archive = zipfile.ZipFile(path)
        member = next(n for n in archive.namelist() if n.rpartition("/")[2] == "data.pkl")
        if archive.getinfo(member).file_size > PICKLE_SIZE:
            raise InputError(f"{path}: its index has more than {PICKLE_SIZE:,} bytes and is not read.")
        with archive.open(member) as file:
            return archive, member.removesuffix("data.pkl"), _TensorsOnly(file).load()
    except InputError as error:
        raise InputError(f"{path} is refused: {error}") from error
    except StopIteration as error:
        raise InputError(f"{path} is a zip file, but none of torch.save: it has no data.pkl.") from error
    except Exception as error:  # a pickle that is cut or forged raises nearly every type
        raise InputError(f"{path} is damaged: {type(error).__name__} while its index was read.") from error


def _named_tensors(content, path):
    for wrapper in _WRAPPERS:
        if isinstance(content, dict) and isinstance(content.get(wrapper), dict):
            content = content[wrapper]
            break
    if not isinstance(content, dict):
        raise InputError(f"{path} holds no named tensors: expected a state_dict.")
    tensors = {str(k).removeprefix("module."): v for k, v in content.items() if isinstance(v, _Tensor)}
    if not tensors:
        raise InputError(f"{path} holds no tensors: expected a state_dict.")
    return tensors
