"""Reads the inputs, and labels, that a caller gives in any form."""

import keras
import numpy as np

from keras_vit.errors import InputError
from keras_vit.export.model.arrays import BATCH
from keras_vit.importing import user_code


def read_items(source, labels=None, rank=None):
    """Reads all items of arrays (one, a list, a dict), a `tf.data.Dataset` or a `keras.utils.PyDataset`.

    Returns inputs, and labels: those given, or those that the data set contains, or None. `rank` is that of
    the model's first input, which distinguishes a data set of single items from one of batches.
    """
    batches = _batches(source, rank)
    if batches is None:
        return source, labels
    with user_code("The data set raised "):
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
