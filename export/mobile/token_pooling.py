"""Reads a token, the mean of the patches, or both; a pending factor and shift stay pending."""

import tensorflow as tf

from keras_vit.export.mobile.encoder_output import EncoderOutput
from keras_vit.export.mobile.pending import Scaled, plain
from keras_vit.export.mobile.registry import rewrites
from keras_vit.layers import TokenPooling


@rewrites(TokenPooling)
def token_pooling(layer, x):
    if isinstance(x, EncoderOutput):
        if layer.mode == "token" and layer.index == 0:
            return x.first_token()
        x = x.all_tokens()
    if isinstance(x, Scaled) and layer.mode != "token_gap":  # which has the channels twice
        return Scaled(_pooled(layer, x.x), x.scale, x.shift)
    return _pooled(layer, plain(x))


def _pooled(layer, x):
    if layer.mode == "gap":
        return _mean(layer, x)
    token = x[:, layer.index : layer.index + 1]
    token = tf.reshape(token, (x.shape[0], x.shape[2]))  # indexing would leave the delegate
    return token if layer.mode == "token" else tf.concat([token, _mean(layer, x)], axis=-1)


def _mean(layer, x):
    prefix = layer.num_prefix_tokens
    return tf.reduce_mean(x[:, prefix:] if prefix else x, axis=1)
