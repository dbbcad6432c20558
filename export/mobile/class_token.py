"""Tokens that are the same for every image: constants, put before the patches."""

import numpy as np
import tensorflow as tf

from keras_vit.export.mobile.arrays import exact
from keras_vit.export.mobile.pending import plain
from keras_vit.export.mobile.registry import rewrites
from keras_vit.layers import ClassToken, RegisterTokens


@rewrites(ClassToken)
def class_token(layer, x):
    x = plain(x)
    return tf.concat([_repeated(layer.token, x.shape[0]), x], axis=1)


@rewrites(RegisterTokens)
def register_tokens(layer, x):
    x, prefix = plain(x), layer.num_prefix_tokens
    tokens = _repeated(layer.tokens, x.shape[0])
    return tf.concat([x[:, :prefix], tokens, x[:, prefix:]] if prefix else [tokens, x], axis=1)


def _repeated(tokens, batch):
    return tf.constant(np.repeat(exact(tokens), batch, axis=0).astype("float32"))
