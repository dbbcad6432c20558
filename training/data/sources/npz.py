"""`npz:PATH`: arrays in a NumPy `.npz` file."""

from pathlib import Path

from keras_vit.errors import InputError, listed
from keras_vit.io.archive import read_arrays
from keras_vit.training.data.checks import as_images
from keras_vit.training.data.dataset import Loaded, Split
from keras_vit.training.data.label_arrays import labels_of_splits

ARGUMENT = "PATH"
_KEYS = {
    "train": ("x_train", "y_train"),
    "validation": ("x_validation", "y_validation"),
    "test": ("x_test", "y_test"),
}
_TRAIN_ONLY_KEYS = {"train": ("images", "labels")}
_EXPECTED = (
    "Expected x_train and y_train (perhaps x_validation, y_validation, x_test, y_test) or images and labels"
)


def load(argument, options):
    """Loads the splits of an `.npz` file. Pickled objects in it are never loaded.

    It contains `x_train`, `y_train` and perhaps `x_validation`, `y_validation`, `x_test`, `y_test`; or
    `images`, `labels`; and perhaps `label_names`, by default `"0"`, `"1"` ... Images are `(num_images,
    height, width)` or `(num_images, height, width, channels)`, uint8 or finite numbers in [0, 255]; labels
    are read by `label_arrays.labels_of_array`.
    """
    path = Path(argument).expanduser()
    arrays = read_arrays(path, lambda members: _check_keys(members, _keys_of(members), path))
    keys = _keys_of([f"{name}.npy" for name in arrays])
    keys = {split: pair for split, pair in keys.items() if pair[0] in arrays}
    labels, found = labels_of_splits(
        {split: arrays[y] for split, (_, y) in keys.items()},
        {split: f"{y} of {path}" for split, (_, y) in keys.items()},
        options.label_kind,
    )
    parts = {
        split: Split(as_images(arrays[x], f"{x} of {path}"), labels[split]) for split, (x, _) in keys.items()
    }
    most = max(len(parts["train"]), len(found.names))
    names = _label_names(arrays["label_names"], most, path) if "label_names" in arrays else found.names
    return Loaded(parts, names or _numbers(labels["train"], path), found.lines, found.kind)


def _keys_of(members):
    return _TRAIN_ONLY_KEYS if "images.npy" in members else _KEYS


def _check_keys(members, keys, path):
    received = {member.removesuffix(".npy") for member in members if member.endswith(".npy")}
    unknown = received - {key for pair in keys.values() for key in pair} - {"label_names"}
    halves = [pair for pair in keys.values() if len(received & set(pair)) == 1]
    if unknown or halves or not received & set(keys["train"]) or len(received) != len(members):
        shown = listed(sorted(member.removesuffix(".npy") for member in members)) or "nothing"
        raise InputError(f"{_EXPECTED}, and perhaps label_names, in {path}; received {shown}.")


def _label_names(array, most, path):
    if array.ndim != 1 or array.size > most or array.dtype.kind not in "US":
        raise InputError(
            f"Expected label_names in {path} to be a list of strings, at most one for each of {most:,} "
            f"images, received {array.dtype} of shape {array.shape}."
        )
    return tuple(
        name.decode(errors="replace") if isinstance(name, bytes) else str(name) for name in array.tolist()
    )


def _numbers(labels, path):
    last = labels.max(initial=-1)
    if last >= max(len(labels), 1):
        raise InputError(f"Expected labels that count classes from 0 in {path}, received {last}.")
    return tuple(str(index) for index in range(last + 1))
