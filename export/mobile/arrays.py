"""Weights as arrays."""

import numpy as np
import tensorflow as tf


def exact(value):
    """Returns a variable, array or number as float64: weights are combined so, and rounded once."""
    with tf.init_scope():  # also while a graph is being made
        return np.asarray(value, "float64")
