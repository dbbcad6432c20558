"""The position embedding as one constant, resampled beforehand where it has to be."""

import keras
import numpy as np
import tensorflow as tf

from keras_vit.export.mobile.pending import plain
from keras_vit.export.mobile.registry import rewrites
from keras_vit.layers import PositionEmbedding


@rewrites(PositionEmbedding)
def position_embedding(layer, x):
    x = plain(x)
    return x + tf.constant(_table(layer, x.shape[1:]))


def _table(layer, shape):
    with tf.init_scope():  # what the layer adds to zeros is its table
        return np.asarray(keras.ops.convert_to_numpy(layer(np.zeros((1, *shape), "float32"))))
