"""Finds the weights and the configuration of a source."""

import os
from pathlib import Path

from keras_vit.errors import InputError
from keras_vit.io.json_files import read_json
from keras_vit.io.label_names import is_label_name
from keras_vit.pretrained.hub import WEIGHTS, download
from keras_vit.pretrained.npz_file import read_npz
from keras_vit.pretrained.safetensors_file import read_safetensors, shards
from keras_vit.pretrained.tensors import Tensors
from keras_vit.pretrained.torch_file import read_torch

READERS = {
    ".safetensors": lambda path: read_safetensors([path]),
    ".npz": read_npz,
    ".bin": read_torch,
    ".pth": read_torch,
    ".pt": read_torch,
}


def open_checkpoint(source: str | os.PathLike, revision: str | None = None) -> tuple[dict, Tensors]:
    """Opens a folder, a file or a hub id, there at a branch, tag or commit.

    Returns the configuration, which may be empty, and the tensors.
    """
    path = located(source, revision)
    return _open_folder(path) if path.is_dir() else _open_file(path)


def located(source: str | os.PathLike, revision: str | None = None) -> Path:
    """Returns where a source is: a folder or file of that name, or what is downloaded of that hub id."""
    path = Path(source)
    if os.path.isdir(path) or os.path.isfile(path):  # unlike `Path.is_dir`, for a name of any length
        return path
    if path.suffix in READERS or path.is_absolute():
        raise InputError(f"Expected weights at {path}, found nothing.")
    return download(str(source), revision)


def class_names(source: str | os.PathLike, count: int) -> tuple[str, ...] | None:
    """Returns the names of the `count` classes in the configuration of weights, or None without them."""
    config, _ = open_checkpoint(source)
    names = config.get("label_names") or config.get("id2label")  # of timm, of transformers
    if isinstance(names, dict):
        names = [names.get(str(number)) for number in range(count)]
    if not isinstance(names, list) or len(names) != count or not all(map(is_label_name, names)):
        return None
    return tuple(names)


def _open_folder(folder):
    path = next((folder / name for name in WEIGHTS if (folder / name).is_file()), None)
    if path is None:
        others = sorted(file.name for file in folder.glob("*") if file.suffix in READERS)
        hint = f" Give the file itself, such as {folder / others[0]}." if others else ""
        raise InputError(f"{folder} contains no weights: expected one of {', '.join(WEIGHTS)}.{hint}")
    return _open_file(path)


def _open_file(path):
    if path.name.endswith(".index.json"):
        return _config_of(path), read_safetensors(shards(path), where=path)
    if path.suffix not in READERS:
        raise InputError(f"{path} has an unknown format: expected one of {', '.join(READERS)}.")
    return _config_of(path), READERS[path.suffix](path)


def _config_of(path: Path) -> dict:
    """Returns the config.json next to the weights, with preprocessor_config.json under that name."""
    paths = [path.parent / name for name in ("config.json", "preprocessor_config.json")]
    config, preprocessor = (read_json(path, dict) if path.is_file() else {} for path in paths)
    return {**config, "preprocessor_config": preprocessor} if preprocessor else config
