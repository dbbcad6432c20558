"""Reads `.safetensors` files."""

import functools
import json
import math
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from keras_vit.errors import InputError, first_line
from keras_vit.io.json_files import read_json
from keras_vit.pretrained.tensors import Tensor, Tensors, as_float32

INDEX = "model.safetensors.index.json"
_TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "I32": "<i4"}


def read_safetensors(paths: list[Path], where: str | Path | None = None) -> Tensors:
    """Returns the tensors of one `.safetensors` file, or of several that an index names, which is `where`."""
    where, tensors = where or paths[0], {}
    for path in paths:
        for name, tensor in _tensors(path, where).items():
            if name in tensors:
                raise InputError(f"{where}: {name} is in two of the files.")
            tensors[name] = tensor
    return Tensors(where, tensors)


def shards(index_path: Path) -> list[Path]:
    """Returns the paths of the files that an index names, which have to be in its folder."""
    index = read_json(index_path)
    names = index.get("weight_map") if isinstance(index, dict) else None
    if not isinstance(names, dict) or not all(isinstance(name, str) for name in names.values()):
        raise InputError(f"{index_path} is not an index of safetensors files: it has no weight_map.")
    names = sorted(set(names.values()))
    if any(name != Path(name).name for name in names):
        raise InputError(f"{index_path} names files outside its folder.")
    return [index_path.parent / name for name in names]


def _tensors(path, where):
    """The safetensors package checks the header before it is read here."""
    if not path.is_file():
        raise InputError(f"Expected a safetensors file at {path}, found none.")
    try:
        with safe_open(path, framework="numpy") as file:
            names = set(file.keys())
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(f"{path} is truncated or not a safetensors file: {first_line(error)}.") from error
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
    tensors = {}
    for name in names:
        kind, shape = header[name]["dtype"], tuple(header[name]["shape"])
        offset = 8 + length + header[name]["data_offsets"][0]
        tensors[name] = Tensor(shape, functools.partial(_read, path, kind, shape, offset, f"{where}: {name}"))
    return tensors


def _read(path, kind, shape, offset, what):
    if kind not in _TYPES:
        raise InputError(f"{what} is of type {kind}; expected one of {', '.join(_TYPES)}.")
    # Not mapped into memory: where the file is truncated meanwhile, using a mapping ends the process.
    array = np.fromfile(path, _TYPES[kind], count=math.prod(shape), offset=offset)
    if array.size != math.prod(shape):
        raise InputError(f"{path} was truncated while it was read.")
    return as_float32(array.reshape(shape), kind == "BF16")
