"""Indexing without support for negative indices."""

import keras
from keras import ops


def gather(table, index):
    """Returns `table[index]` along the first axis, for indices in [0, length).

    `ops.take` also supports negative indices, which under TensorFlow costs more than the gathering itself.
    """
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.gather(table, index)
    return ops.take(table, index, axis=0)
