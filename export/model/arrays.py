"""Arrays given for a model's inputs, brought into one form and checked."""

from collections.abc import Mapping

import keras
import numpy as np

from keras_vit.errors import InputError

BATCH = 64
NUMBERS = "biuf"  # kinds of numpy's types


def read_items(source, labels=None, rank=None):
    """Reads all items of arrays (one, a list, a dict), a `tf.data.Dataset` or a `keras.utils.PyDataset`.

    Returns inputs, and labels: those given, or those that the data set contains, or None. `rank` is that of
    the model's first input, which distinguishes a data set of single items from one of batches.
    """
    batches = _batches(source, rank)
    if batches is None:
        return source, labels
    pairs = [keras.utils.unpack_x_y_sample_weight(batch)[:2] for batch in batches]
    if not pairs:
        raise InputError("Expected inputs to verify the files with, received an empty data set.")
    inputs = _joined([x for x, _ in pairs])
    contained = None if pairs[0][1] is None else _joined([y for _, y in pairs])
    if labels is not None and contained is not None:
        raise InputError("Expected labels in the data set or as labels=, received both. Leave labels out.")
    return inputs, contained if labels is None else labels


def _batches(source, rank):
    """An iterable of batches as arrays, or None for arrays."""
    if isinstance(source, keras.utils.PyDataset):
        if source.num_batches is None:
            raise InputError("Expected a PyDataset with an end, received one whose __len__ is not defined.")
        return (source[index] for index in range(source.num_batches))
    if not hasattr(source, "element_spec"):  # of a tf.data.Dataset; TensorFlow may not be loaded
        return None
    import tensorflow as tf

    if source.cardinality() == tf.data.INFINITE_CARDINALITY:
        raise InputError("Expected a data set with an end, received one that repeats. Add .take(COUNT).")
    inputs = keras.utils.unpack_x_y_sample_weight(source.element_spec)[0]
    first = keras.tree.flatten(inputs)[0]
    if rank is not None and first.shape.rank == rank - 1:
        source = source.batch(BATCH)
    return source.as_numpy_iterator()


def _joined(batches):
    try:
        return keras.tree.map_structure(lambda *parts: np.concatenate([*map(np.asarray, parts)]), *batches)
    except ValueError as error:
        raise InputError(f"Expected batches that differ in their number of items only: {error}") from error


def by_name(arrays, names):
    """Returns the arrays of a dict, a list or a single one as a dict with these keys."""
    if isinstance(arrays, Mapping):
        paths = {"_".join(map(str, p)): value for p, value in keras.tree.flatten_with_path(dict(arrays))}
        if set(paths) != set(names):
            raise InputError(f"Expected inputs named {', '.join(names)}, received {', '.join(paths)}.")
        return paths
    several = isinstance(arrays, list | tuple) and (len(names) > 1 or len(arrays) == 1)
    arrays = list(arrays) if several else [arrays]
    if len(arrays) != len(names):
        raise InputError(f"Expected {len(names)} inputs ({', '.join(names)}), received {len(arrays)}.")
    return dict(zip(names, arrays, strict=True))


def fitted(array, tensor, least=1):
    """Returns the array for one input of a model, with its rank; values keep their type.

    Raises:
        InputError: no numbers, NaN, fewer than `least` items, or another shape than `tensor`, the input's
            `Tensor`.
    """
    if tensor.dtype == "string":
        raise InputError(
            f"{tensor.name!r} takes strings, which no phone's runtime reads. Export the part of the model "
            "behind the layer that makes numbers of them, and give it those numbers."
        )
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
