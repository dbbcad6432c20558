"""Indexing without support for negative indices."""

import keras
from keras import ops


def gather(table, index):
    """Returns `table[index]` along the first axis, for indices that are all valid.

    `ops.take` also supports negative indices, which under TensorFlow costs more than the gathering itself.

    Args:
        table: `(length, ...)`.
        index: integers of any shape, in [0, length).
    """
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.gather(table, index)
    return ops.take(table, index, axis=0)
