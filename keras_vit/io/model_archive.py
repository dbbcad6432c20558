"""Loads `.keras` files after checking what Keras would build from them."""

import io
import os
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np
from keras.saving import get_registered_object

from keras_vit.bounded_building import bounded_building
from keras_vit.errors import InputError, first_line
from keras_vit.io.archive import check_zip
from keras_vit.io.files import MAX_TEXT_SIZE, what_lies_at
from keras_vit.io.json_files import parse_json

MEMBERS = {"config.json", "metadata.json", "model.weights.h5"}
CODE = {
    "Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer", "__lambda__", "__typespec__",
}  # fmt: skip
MODULES = {  # of Keras, with the classes and functions that models consist of
    "activations", "constraints", "dtype_policies", "initializers", "layers", "losses", "metrics", "models",
    "ops", "optimizers", "quantizers", "regularizers",
}  # fmt: skip


def load_model(path: str | os.PathLike) -> keras.Model:
    """Loads a `.keras` file without running code from it, and without its compile state.

    An InputError names what is wrong with a file that is missing or damaged, or that contains code, unknown
    classes, or a configuration larger than its weights.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"Expected a .keras model file at {path}, found {what_lies_at(path)}.")
    count = check_model_archive(path)
    try:
        # Keras's Bidirectional makes one of its two layers twice when it is read.
        with bounded_building(f"The model in {path}", 2 * count, "the file holds, taken twice"):
            model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except InputError:
        raise
    except Exception as error:  # Keras raises nearly every type of error here
        raise InputError(f"{path} is an archive, but its model cannot be built: {_cause(error)}") from error
    if not (isinstance(model, keras.Model) and model.built):
        raise InputError(f"{path} contains a {type(model).__name__}, expected a built keras.Model.")
    return model


def check_model_archive(path: Path) -> int:
    """Returns the number of values in the weights, after checking them, the members and the named classes."""
    names = check_zip(path)
    try:
        with zipfile.ZipFile(path) as archive:
            _check_members(archive, names, path)
            parse_json(archive.read("metadata.json"), f"metadata.json in {path}")
            check_config(parse_json(archive.read("config.json"), f"config.json in {path}"), path)
            return _check_weights(archive.read("model.weights.h5"), path)
    except InputError:
        raise
    except Exception as error:  # zip, zlib and HDF5 raise many types
        raise InputError(f"{path} is a damaged archive: {first_line(error)}.") from error


def _check_members(archive, names, path):
    missing = MEMBERS - names
    foreign = {name for name in names - MEMBERS if not name.startswith("assets/")}
    if missing or foreign:
        part = ", ".join(sorted(missing)) + " missing" if missing else f"unexpected {min(foreign)}"
        raise InputError(f"{path} is damaged or not a .keras file: {part}. Save the model again.")
    if max(archive.getinfo(name).file_size for name in ("config.json", "metadata.json")) > MAX_TEXT_SIZE:
        raise InputError(f"{path} is not trustworthy: its configuration is larger than that of any model.")
    broken = archive.testzip()
    if broken:
        raise InputError(f"{path} is damaged: {broken} has a wrong checksum. Save the model again.")


def check_config(config, path):
    """Raises InputError where a model's config has code, or classes neither of Keras nor registered."""
    stack = [config]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            if "class_name" in value:
                _check_class(value, path)
            stack.extend(value.values())
        elif isinstance(value, list):
            stack.extend(value)


def _check_class(entry, path):
    name, module, registered = (entry.get(key) for key in ("class_name", "module", "registered_name"))
    if not (isinstance(name, str) and isinstance(module, str | None) and isinstance(registered, str | None)):
        raise InputError(f"{path} is damaged: expected names of classes, received {name!r} of {module!r}.")
    if name in CODE:
        raise InputError(
            f"{path} contains a {name} object, which is code and is not run from a file. "
            "Replace it by a registered keras.layers.Layer and save again."
        )
    if name == "function":
        name = registered = entry.get("config")
    if not (_is_from_keras(str(name), module) or registered and get_registered_object(registered)):
        origin = f" of {module}" if module else ""
        raise InputError(
            f"{path} needs {name!r}{origin}, which is neither Keras's nor registered. If you trust it, "
            "import the module that registers it first; commands do so with --import MODULE."
        )


def _is_from_keras(name, module):
    """Returns whether Keras itself writes such an entry; its own functions are marked as of "builtins"."""
    if module is None:
        return name.startswith("__")
    parts = module.removeprefix("keras.src.").removeprefix("keras.").split(".")
    return module in ("keras", "builtins") or module.startswith("keras.") and parts[0] in MODULES


def _check_weights(content, path):
    count, stack, seen = 0, [h5py.File(io.BytesIO(content))], set()
    while stack:
        group = stack.pop()
        for name in group:
            is_plain = isinstance(group.get(name, getlink=True), h5py.HardLink)
            child = group[name] if is_plain else group
            address = h5py.h5o.get_info(child.id).addr
            if not is_plain or address in seen:
                raise InputError(f"{path} is not trustworthy: its weights link to other places.")
            seen.add(address)
            if isinstance(child, h5py.Group):
                stack.append(child)
            else:
                count += _check_array(child, path)
    return count


def _check_array(array, path):
    if array.external or array.is_virtual or array.id.get_storage_size() != array.nbytes:
        raise InputError(f"{path} is damaged: its weights {array.name} are not a plain array. Save it again.")
    optimizer = array.name.startswith("/optimizer")
    if array.dtype.kind == "f" and not optimizer and not np.isfinite(array[...]).all():
        raise InputError(f"{path} contains weights that are not finite: {array.name}. Train the model again.")
    return array.size


def _cause(error):
    """Returns the root of a chain of errors, where Keras names the class that it did not find."""
    while error.__context__ is not None:
        error = error.__context__
    return first_line(error)
