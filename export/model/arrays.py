"""Arrays given for a model's inputs, brought into one form and checked."""

import re
from collections.abc import Mapping

import numpy as np

from keras_vit.errors import InputError, counted

BATCH = 64  # items
_OTHER_SIGNS = re.compile(r"\W")  # which `keras_vit.export.model.signature` replaces in names
NUMBERS = "biuf"  # kinds of numpy's types


def by_name(arrays, names):
    """Returns the arrays of a dict, a list or a single one as a dict with these keys.

    The keys of a dict may have signs that names of files do not: they are `_` there.
    """
    if isinstance(arrays, Mapping):
        import keras

        flat = keras.tree.flatten_with_path(dict(arrays))
        paths = {_OTHER_SIGNS.sub("_", "_".join(map(str, path))): value for path, value in flat}
        if set(paths) != set(names):
            raise InputError(f"Expected inputs named {', '.join(names)}, received {', '.join(paths)}.")
        return paths
    several = isinstance(arrays, list | tuple) and (len(names) > 1 or len(arrays) == 1)
    arrays = list(arrays) if several else [arrays]
    if len(arrays) != len(names):
        raise InputError(
            f"Expected {counted(len(names), 'input')} ({', '.join(names)}), received {len(arrays)}."
        )
    return dict(zip(names, arrays, strict=True))


def check_takes_numbers(tensor):
    """Raises InputError for an input of a model that takes strings."""
    if tensor.dtype == "string":
        raise InputError(
            f"{tensor.name!r} takes strings, which no phone's runtime reads. Export the part of the model "
            "behind the layer that makes numbers of them, and give it those numbers."
        )


def fitted(array, tensor, least=1):
    """Returns the array for one input of a model, with its rank; values keep their type."""
    check_takes_numbers(tensor)
    try:
        array = np.asarray(array)
    except ValueError as error:
        raise InputError(f"Expected an array for {tensor.name!r}: {error}") from error
    if array.dtype.kind not in NUMBERS:
        raise InputError(f"Expected numbers for {tensor.name!r}, received an array of {array.dtype}.")
    if array.ndim == len(tensor.shape) and tensor.shape[-1:] == (1,):
        array = array[..., None]
    sizes = zip(array.shape[1:], tensor.shape, strict=False)
    fits = array.ndim == 1 + len(tensor.shape) and all(size in (given, None) for given, size in sizes)
    if not fits or len(array) < least:
        raise InputError(
            f"Expected items {_shown(tensor.shape)} for {tensor.name!r}, received {array.shape}."
        )
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise InputError(f"Expected finite numbers for {tensor.name!r}, received NaN or infinite ones.")
    return array


def check_same_length(arrays):
    """Raises InputError unless all arrays of a dict have as many items; returns their number."""
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        counts = ", ".join(f"{count} of {name}" for name, count in lengths.items())
        raise InputError(f"Expected as many items of each input, received {counts}.")
    return next(iter(lengths.values()))


def _shown(shape):
    sizes = ("any size" if size is None else str(size) for size in shape)
    return f"(n{''.join(f', {size}' for size in sizes)})"
