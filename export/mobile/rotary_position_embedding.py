"""The rotation of queries and keys, its sines and cosines as constants."""

import numpy as np
import tensorflow as tf

from keras_vit.export.mobile.pending import plain
from keras_vit.export.mobile.registry import rewrites
from keras_vit.layers import RotaryPositionEmbedding


@rewrites(RotaryPositionEmbedding)
def rotary_position_embedding(layer, x):
    return rotated(layer, plain(x))


def rotated(layer, x):
    """Turns the queries or keys of the first tokens, of which `x` may have fewer than there are."""
    cosine, sine = (table[: x.shape[2]] for table in (layer.cosine, layer.sine))
    if not np.any(sine):  # none of these is a patch
        return x
    first, second = tf.split(x, 2, axis=-1)
    return x * cosine + tf.concat([second, first], axis=-1) * sine
