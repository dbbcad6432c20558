"""Loads `.keras` files, which are checked before Keras builds anything from them."""

import io
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np
from keras.saving import get_registered_object

import keras_vit.layers  # noqa: F401  registers the layers
from keras_vit.bounded_building import bounded_building
from keras_vit.errors import InputError, first_line
from keras_vit.io.archive import check_zip
from keras_vit.io.files import LARGEST_TEXT, what_lies_at
from keras_vit.io.json_files import parse_json

MEMBERS = {"config.json", "metadata.json", "model.weights.h5"}
CODE = {
    "Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer", "__lambda__", "__typespec__",
}  # fmt: skip
MODULES = {  # of Keras, whose classes and functions make up a model
    "activations", "constraints", "dtype_policies", "initializers", "layers", "losses", "metrics", "models",
    "ops", "optimizers", "quantizers", "regularizers",
}  # fmt: skip


def load_model(path):
    """Loads a `.keras` file without running code from it, and without its compile state.

    Args:
        path: str or Path of the file.

    Returns:
        A `keras.Model`, not compiled.

    Raises:
        InputError: missing, truncated or not a `.keras` archive, or holding code,
            classes that are not known here, or sizes that its weights do not have.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"Expected a .keras model file at {path}, found {what_lies_at(path)}.")
    count = check_model_archive(path)
    try:
        with bounded_building(f"The model in {path}", count, "the file holds"):
            model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except InputError:
        raise
    except Exception as error:  # Keras raises nearly every type for a file that it cannot build
        raise InputError(
            f"{path} is an archive, but not a model that can be built here: {_cause(error)}"
        ) from error
    if not (isinstance(model, keras.Model) and model.built):
        raise InputError(f"{path} holds a {type(model).__name__}, but not a model that is built.")
    return model


def check_model_archive(path):
    """Checks an archive's members, the classes that its configuration names, and its weights.

    Args:
        path: Path of the file.

    Returns:
        int, how many numbers the weights hold.

    Raises:
        InputError: damaged, code-bearing, of classes that are not Keras's and not registered, with
            weights that are not finite or not stored plainly.
    """
    names = check_zip(path)
    try:
        with zipfile.ZipFile(path) as archive:
            _check_members(archive, names, path)
            parse_json(archive.read("metadata.json"), f"metadata.json in {path}")
            _check_config(parse_json(archive.read("config.json"), f"config.json in {path}"), path)
            return _check_weights(archive.read("model.weights.h5"), path)
    except InputError:
        raise
    except Exception as error:  # zip, zlib, HDF5 and their own, of many types
        raise InputError(f"{path} is a damaged archive: {first_line(error)}.") from error


def _check_members(archive, names, path):
    missing = MEMBERS - names
    foreign = {name for name in names - MEMBERS if not name.startswith("assets/")}
    if missing or foreign:
        part = ", ".join(sorted(missing)) + " missing" if missing else f"{min(foreign)} is no part of a model"
        raise InputError(f"{path} is damaged or no .keras file: {part}. Save the model again.")
    if max(archive.getinfo(name).file_size for name in ("config.json", "metadata.json")) > LARGEST_TEXT:
        raise InputError(f"{path} is not to be trusted: its configuration is longer than any model's.")
    broken = archive.testzip()
    if broken:
        raise InputError(f"{path} is damaged: {broken} is broken. Save the model again.")


def _check_config(config, path):
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
            f"{path} holds a {name} object, which is code and is not run from a file. "
            "Replace it by a registered keras.layers.Layer and save again."
        )
    if name == "function":
        name = registered = entry.get("config")
    if not (_is_kerass_own(str(name), module) or registered and get_registered_object(registered)):
        origin = f" of {module}" if module else ""
        raise InputError(
            f"{path} needs {name!r}{origin}, which is neither Keras's nor registered. If you trust it, "
            "import the module that registers it first."
        )


def _is_kerass_own(name, module):
    """What Keras itself writes; "builtins" is how it marks its own functions."""
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
                raise InputError(f"{path} is not to be trusted: its weights link to elsewhere.")
            seen.add(address)
            if isinstance(child, h5py.Group):
                stack.append(child)
            else:
                count += _check_array(child, path)
    return count


def _check_array(array, path):
    if array.external or array.is_virtual or array.id.get_storage_size() != array.nbytes:
        raise InputError(
            f"{path} is damaged: its weights {array.name} are not stored plainly. Save it again."
        )
    optimizer = array.name.startswith("/optimizer")
    if array.dtype.kind == "f" and not optimizer and not np.isfinite(array[...]).all():
        raise InputError(f"{path} holds weights that are not finite: {array.name}. Train the model again.")
    return array.size


def _cause(error):
    """Keras tells which class it could not find in the first of a chain of errors."""
    while error.__context__ is not None:
        error = error.__context__
    return first_line(error)
