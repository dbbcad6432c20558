"""`--data SPEC` for a model of any kind: the inputs that a command compares, and what is known about them."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_vit.commands.arguments import refuse
from keras_vit.commands.data_option import EXPECTED, OF_IMAGES
from keras_vit.commands.images_for_model import read_images
from keras_vit.errors import InputError, listed
from keras_vit.importing import import_named, is_name, user_code
from keras_vit.io.preprocessing import Preprocessing
from keras_vit.training.data.sources import source_names

NPZ = "npz:"
LABELS = ("labels", "y", "y_test")
INPUTS = ("images", "x", "x_test")


@dataclasses.dataclass(frozen=True, eq=False)
class Items:
    """Inputs as `keras_vit.export.export_model` takes them."""

    inputs: Any  # arrays, or a data set
    labels: Any = None  # array or dict of arrays; a data set may contain them
    calibration: Any = None  # as `inputs`, of the training split
    label_names: tuple | None = None
    preparation: dict | None = None  # how inputs were made from what was read; None: taken unchanged
    preprocessing: Preprocessing | None = None  # of images of any size


def read_items(spec, found, options) -> Items:
    """Returns the items of a spec for a `FoundModel`, and prints what was found and what was taken."""
    if is_name(spec) and spec.partition(":")[0] not in source_names():
        items = _of_code(spec)
    elif spec.startswith(NPZ) and (arrays := _own_arrays(spec.removeprefix(NPZ), found.inputs)):
        items = Items(*arrays)
    else:
        items = Items(**read_images(spec, found, options))
    if items.preparation is None:
        reason = f"is for images of digits, tfds:, folder: and table:, not for {spec}. Leave it out."
        refuse(options, OF_IMAGES, reason)
    if options.no_labels:
        items = dataclasses.replace(items, inputs=_without_labels(items.inputs), labels=None)
    print(f"{spec}: {_shown(items)}")
    return items


def _of_code(spec):
    found = import_named(spec, "inputs of the model, or a function that returns them")
    if callable(found) and not isinstance(found, keras.utils.PyDataset):
        with user_code(f"{spec}() failed: ", ". It is called without arguments.", f"{spec}()"):
            found = found()
    if isinstance(found, tuple) and len(found) == 2:  # as Keras has it; several inputs are a list or a dict
        return Items(*found)
    is_data = isinstance(found, Mapping | list | keras.utils.PyDataset) or hasattr(found, "element_spec")
    if not is_data and not hasattr(found, "shape"):
        raise InputError(
            f"Expected {spec} to give {EXPECTED.partition('module:name of ')[2]}, received a "
            f"{type(found).__name__}."
        )
    return Items(found)


def _own_arrays(path, tensors):
    """Inputs and labels of an .npz file with arrays by input; None where it has splits of images."""
    from keras_vit.io.archive import read_arrays

    arrays = read_arrays(Path(path).expanduser())
    names = [tensor.name for tensor in tensors]
    if {"x_train", "y_train"} <= arrays.keys() or {"images", "labels"} == arrays.keys() - {"label_names"}:
        return None
    if names and set(names) <= arrays.keys():
        inputs, used = {name: arrays[name] for name in names}, set(names)
    else:
        given = [name for name in INPUTS if name in arrays]
        if len(given) != 1 or len(names) > 1:
            wanted = listed(names) if names else "x"
            raise InputError(
                f"Expected arrays {wanted} in {path}, and perhaps labels, of several outputs labels_NAME; it "
                f"has {listed(arrays)}."
            )
        inputs, used = arrays[given[0]], {given[0]}
    rest = {name: array for name, array in arrays.items() if name not in used}
    labels = next((rest.pop(name) for name in LABELS if name in rest), None)
    if labels is None and rest:
        labels, rest = {name.removeprefix("labels_"): array for name, array in rest.items()}, {}
    if rest:
        raise InputError(f"{path} has arrays that are neither inputs nor labels: {listed(rest)}.")
    return inputs, labels


def _without_labels(inputs):
    if not hasattr(inputs, "element_spec") or not isinstance(inputs.element_spec, tuple):
        return inputs
    return inputs.map(lambda x, *_: x)


def _shown(items):
    arrays = items.inputs
    if hasattr(arrays, "element_spec") or isinstance(arrays, keras.utils.PyDataset):
        return f"a {type(arrays).__name__}"
    flat = [np.asarray(array) for array in keras.tree.flatten(arrays)]
    parts = [
        f"{a.dtype} {a.shape}, values {a.min():g} to {a.max():g}"
        for a in flat
        if a.size and a.dtype.kind in "biuf"
    ]
    labels = "no labels" if items.labels is None else f"labels {_labels(items.labels)}"
    return "; ".join([*parts, labels])


def _labels(labels):
    flat = [np.asarray(array) for array in keras.tree.flatten(labels)]
    return ", ".join(
        f"{a.dtype} {a.shape}"
        + (f" from {a.min():g} to {a.max():g}" if a.size and a.dtype.kind in "biuf" else "")
        for a in flat
    )
