"""Reads a token, or the mean of the patches; a pending factor and shift stay pending."""

import tensorflow as tf

from export.mobile.encoder_output import EncoderOutput
from export.mobile.pending import Scaled, plain
from export.mobile.registry import rewrites
from keras_vit.layers import TokenPooling


@rewrites(TokenPooling)
def token_pooling(layer, x):
    if isinstance(x, EncoderOutput):
        if layer.mode == "token":
            return x.first_token()
        x = x.all_tokens()
    if isinstance(x, Scaled):
        return Scaled(_pooled(layer, x.x), x.scale, x.shift)
    return _pooled(layer, plain(x))


def _pooled(layer, x):
    if layer.mode == "gap":
        prefix = layer.num_prefix_tokens
        return tf.reduce_mean(x[:, prefix:] if prefix else x, axis=1)
    return tf.reshape(x[:, :1], (x.shape[0], x.shape[2]))  # indexing would leave the delegate
