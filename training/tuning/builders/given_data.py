"""The data of a search over a builder, and how they reach its processes."""

import contextlib
import dataclasses
import hashlib
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_vit.errors import InputError, warn
from keras_vit.importing import user_code
from keras_vit.io.files import atomic_path
from keras_vit.training.data.given import is_dataset
from keras_vit.training.tuning.builders.sent import Sent

EXPECTED = (
    "arrays (x, y), dicts of arrays, a tf.data.Dataset, a keras.utils.PyDataset, or a function or "
    "module:name that returns one of these"
)


@dataclasses.dataclass(frozen=True)
class GivenData:
    """Data as they are sent to a process: the paths of files, or a `Sent` object.

    Arrays are written to files, which processes map into their memory. The elements of a tf.data.Dataset are
    written once, in the order in which they come. All other data are loaded by each process.
    """

    kind: str  # "arrays", "dataset" or "sent"
    content: Any  # arrays: their paths, nested as the arrays; dataset: the path of its folder; sent: Sent
    name: str  # what a journal has of them

    @classmethod
    def of(cls, value: Any, role: str, folder: Path) -> "GivenData | None":
        """Prepares what a user gave as `train` or `validation`, the `role`; files are written to a folder."""
        if value is None:
            return None
        if isinstance(value, keras.utils.PyDataset):
            sent = Sent.of(value, role)
            return cls("sent", sent, sent.name)
        if is_dataset(value):
            return cls._of_dataset(value, role, folder / role)
        if isinstance(value, str) or callable(value):
            sent = Sent.of(value, role)
            return cls("sent", sent, sent.name)
        return cls._of_arrays(checked_arrays(value, role), role, folder)

    @classmethod
    def _of_arrays(cls, arrays, role, folder):
        digest, count = hashlib.sha256(), iter(range(10**6))

        def write(array):
            path = folder / f"{role}-{next(count)}.npy"
            digest.update(f"{array.dtype} {array.shape}".encode())
            digest.update(np.ascontiguousarray(array))
            if not (path.exists() and _holds(path, array)):
                with atomic_path(path) as temporary, open(temporary, "wb") as file:
                    np.save(file, array, allow_pickle=False)
            return str(path)

        paths = keras.tree.map_structure(write, arrays)
        return cls("arrays", paths, f"arrays {digest.hexdigest()[:16]}")

    @classmethod
    def _of_dataset(cls, dataset, role, folder):
        _check_batches(dataset, role)
        if not folder.exists():
            warn(
                f"The elements of {role} are written to {folder} once, as they come now, and are read from "
                "there in each trial: what the dataset draws at random is drawn once. Give a function that "
                "returns the dataset to draw it again in each trial."
            )
            with atomic_path(folder) as temporary:
                dataset.save(str(temporary))
        return cls("dataset", str(folder), f"dataset {dataset.element_spec}")

    def load(self, role: str) -> Any:
        """Returns the data in a process: a tuple of arrays, nested as they were given, or a dataset."""
        if self.kind == "arrays":
            return keras.tree.map_structure(lambda path: np.load(path, mmap_mode="r"), self.content)
        if self.kind == "dataset":
            import tensorflow as tf

            return tf.data.Dataset.load(self.content)
        value = self.content.load(role)
        if callable(value) and not isinstance(value, keras.utils.PyDataset):
            with user_code(f"{role}, {self.name}, raised ", what=f"{self.name}()"):
                value = value()
        if is_dataset(value) or isinstance(value, keras.utils.PyDataset):
            _check_batches(value, role)
            return value
        return checked_arrays(value, role)


def checked_arrays(value: Any, role: str) -> tuple:
    """Returns `(x,)`, `(x, y)` or `(x, y, sample_weight)` of NumPy arrays, with one length of at least 1."""
    if isinstance(value, list):
        value = tuple(value)
    if not isinstance(value, tuple):
        value = (value,)
    if not 1 <= len(value) <= 3 or any(part is None for part in value):
        raise InputError(f"Expected {role} to be {EXPECTED}, received {_words(value)}.")
    arrays = tuple(map(_as_arrays, value))
    flat = keras.tree.flatten(arrays)
    if any(array.ndim == 0 or array.dtype == object for array in flat):
        raise InputError(f"Expected {role} to be {EXPECTED}, received {_words(value)}.")
    lengths = {len(array) for array in flat}
    if len(lengths) != 1 or 0 in lengths:
        shapes = ", ".join(str(array.shape) for array in flat)
        raise InputError(
            f"Expected the arrays of {role} to have one length of at least 1, received shapes {shapes}."
        )
    return arrays


def _as_arrays(value):
    """Returns arrays, nested as dicts or as lists of arrays; lists of numbers are arrays."""
    if isinstance(value, dict):
        return {name: _as_arrays(part) for name, part in value.items()}
    if isinstance(value, list | tuple) and all(getattr(part, "ndim", 0) for part in value):
        return [_as_arrays(part) for part in value]
    with contextlib.suppress(ValueError):  # lists of other lengths
        return np.asarray(value)
    return np.asarray(None)


def _check_batches(dataset, role):
    is_tensorflow = is_dataset(dataset)
    if is_tensorflow and dataset.cardinality() == sys.modules["tensorflow"].data.INFINITE_CARDINALITY:
        raise InputError(
            f"Expected {role} to end, received a tf.data.Dataset that repeats for ever. Leave repeat() out."
        )
    if not any(True for _ in dataset.take(1)) if is_tensorflow else not len(dataset):
        raise InputError(f"Expected {role} to have at least one batch, received an empty dataset.")


def _words(value):
    if isinstance(value, tuple) and len(value) == 1:
        return f"{value[0]!r:.80}"
    return f"a tuple of {len(value)}" if isinstance(value, tuple) else f"{value!r:.80}"


def _holds(path, array):
    with contextlib.suppress(ValueError, OSError):
        saved = np.load(path, mmap_mode="r")
        return saved.dtype == array.dtype and np.array_equal(saved, array, equal_nan=array.dtype.kind in "fc")
    return False
