"""Reads `.safetensors` files, mapped into memory."""

import json
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from keras_vit.errors import InputError, first_line
from keras_vit.io.json_files import read_json
from keras_vit.pretrained.tensors import Tensors

INDEX = "model.safetensors.index.json"
_TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "I32": "<i4"}


class SafetensorsFile(Tensors):
    """One `.safetensors` file, or several that an index names.

    Args:
        paths: list of paths of the files.
        where: str, what a message calls them. Default: the first path.

    Raises:
        InputError: missing, truncated or otherwise not as the format demands.
    """

    def __init__(self, paths, where=None):
        super().__init__(where or paths[0])
        self._entries = {}
        for path in paths:
            for name, entry in _entries(Path(path)).items():
                if name in self._entries:
                    raise InputError(f"{self.where}: {name} stands in two of the files.")
                self._entries[name] = (path, *entry)

    def names(self):
        return self._entries.keys()

    def shape(self, name):
        return self._entries[name][2]

    def __getitem__(self, name):
        path, kind, shape, offset = self._entries[name]
        if kind not in _TYPES:
            raise InputError(f"{self.where}: {name} is of type {kind}; expected one of {', '.join(_TYPES)}.")
        # Read, not mapped: a file cut short meanwhile is then an error, where a mapping ends the process.
        array = np.fromfile(path, _TYPES[kind], count=int(np.prod(shape)), offset=offset)
        if array.size != np.prod(shape):
            raise InputError(f"{path} has become shorter while it was read.")
        return widened(array.reshape(shape), kind == "BF16")


def widened(array, bfloat16=False):
    """Returns a float32 array of one that is narrower; `bfloat16` ones come as their 16 bits."""
    if bfloat16:
        return (array.astype("<u4") << 16).view("<f4")
    return array.astype("float32", copy=False)


def shards(index_path):
    """Returns the paths of the files that an index names.

    Raises:
        InputError: it is no index, or names files elsewhere.
    """
    index_path = Path(index_path)
    index = read_json(index_path)
    names = index.get("weight_map") if isinstance(index, dict) else None
    if not isinstance(names, dict) or not all(isinstance(name, str) for name in names.values()):
        raise InputError(f"{index_path} is no index of safetensors files: it has no weight_map.")
    names = sorted(set(names.values()))
    if any(name != Path(name).name for name in names):
        raise InputError(f"{index_path} names files outside its folder.")
    return [index_path.parent / name for name in names]


def _entries(path):
    """`{name: (type, shape, offset)}`. The package checks the header before a word of it is believed."""
    if not path.is_file():
        raise InputError(f"Expected a safetensors file at {path}, found none.")
    try:
        with safe_open(path, framework="numpy") as file:
            names = set(file.keys())
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(f"{path} is truncated or no safetensors file: {first_line(error)}.") from error
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
    return {
        name: (
            header[name]["dtype"],
            tuple(header[name]["shape"]),
            8 + length + header[name]["data_offsets"][0],
        )
        for name in names
    }
