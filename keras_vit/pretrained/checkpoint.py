"""Finds the weights and the configuration that a source stands for."""

import os
from pathlib import Path
from typing import NamedTuple

from keras_vit.errors import InputError
from keras_vit.io.json_files import read_json
from keras_vit.pretrained.safetensors_file import INDEX, SafetensorsFile, shards
from keras_vit.pretrained.tensors import Tensors

WEIGHTS = ("model.safetensors", INDEX, "pytorch_model.bin")


class Checkpoint(NamedTuple):
    """Tensors and the configuration beside them (empty when there is none)."""

    config: dict
    tensors: Tensors


def open_checkpoint(source, revision=None):
    """Opens a folder, a file or a hub id.

    Args:
        source: str or Path.
        revision: str, of the hub; a branch, a tag or a commit.

    Raises:
        InputError: nothing there, or of no known format.
    """
    path = Path(source)
    if os.path.isdir(path):  # unlike the path's own, for a name of any length
        return _open_folder(path)
    if os.path.isfile(path):
        return Checkpoint(_config_beside(path), _open_file(path))
    if path.suffix in (".safetensors", ".npz", ".bin", ".pth", ".pt") or path.is_absolute():
        raise InputError(f"Expected weights at {path}, found nothing.")
    from keras_vit.pretrained.hub import download

    return _open_folder(download(str(source), revision))


def _open_folder(folder):
    path = next((folder / name for name in WEIGHTS if (folder / name).is_file()), None)
    if path is None:
        raise InputError(f"{folder} holds no weights: expected one of {', '.join(WEIGHTS)}.")
    return Checkpoint(_config_beside(path), _open_file(path))


def _open_file(path):
    if path.suffix == ".safetensors":
        return SafetensorsFile([path])
    if path.name.endswith(".index.json"):
        return SafetensorsFile(shards(path), where=path)
    if path.suffix == ".npz":
        from keras_vit.pretrained.npz_file import NpzFile

        return NpzFile(path)
    if path.suffix in (".bin", ".pth", ".pt"):
        from keras_vit.pretrained.torch_file import TorchFile

        return TorchFile(path)
    raise InputError(f"{path} is of no known format: expected .safetensors, .npz, .bin, .pth or .pt.")


def _config_beside(path):
    """config.json, with preprocessor_config.json under its name."""
    config = _object(path.parent / "config.json")
    preprocessor = _object(path.parent / "preprocessor_config.json")
    return {**config, "preprocessor_config": preprocessor} if preprocessor else config


def _object(path):
    return read_json(path, dict) if path.is_file() else {}
