"""The encoder and its blocks."""

import keras
import tensorflow as tf

from keras_vit.export.mobile.encoder_output import EncoderOutput
from keras_vit.export.mobile.layer_norm import layer_norm
from keras_vit.export.mobile.layer_scale import layer_scale
from keras_vit.export.mobile.mlp import mlp
from keras_vit.export.mobile.pending import Scaled, plain
from keras_vit.export.mobile.registry import rewrites
from keras_vit.export.mobile.self_attention import attention
from keras_vit.layers import TransformerBlock, TransformerEncoder


@rewrites(TransformerEncoder)
def transformer_encoder(layer, x):
    scores = []
    for block in layer.blocks[:-1]:
        x, block_scores = _block(block, x)
        scores.append(block_scores)
    before = plain(x)

    def compute(only_first):
        y, last_scores = _block(layer.blocks[-1], before, only_first)
        y = _norm(layer.norm, y)
        return (_without_length(y) if only_first else y), [*scores, last_scores]

    return EncoderOutput(compute)


@rewrites(TransformerBlock)
def transformer_block(layer, x):
    x, _ = _block(layer, x)
    return x


def _block(layer, x, only_first=False):
    before, after = (_norm, _as_is) if layer.norm_first else (_as_is, _norm)
    x = plain(x)
    normed = before(layer.attention_norm, x)
    queried = normed
    if only_first:
        x, queried = x[:, :1], _first(normed)
    mixed, scores = attention(layer.attention, normed, queried)
    x = x + plain(_scale(layer.attention_scale, mixed))
    x = plain(after(layer.attention_norm, x))
    y = mlp(layer.mlp, before(layer.mlp_norm, x))
    return after(layer.mlp_norm, x + plain(_scale(layer.mlp_scale, y))), scores


def _norm(layer, x):
    return x if isinstance(layer, keras.layers.Identity) else layer_norm(layer, x)


def _scale(layer, x):
    return x if isinstance(layer, keras.layers.Identity) else layer_scale(layer, x)


def _as_is(layer, x):
    return x


def _first(x):
    return Scaled(x.x[:, :1], x.scale, x.shift) if isinstance(x, Scaled) else x[:, :1]


def _without_length(x):
    if isinstance(x, Scaled):
        return Scaled(_without_length(x.x), x.scale, x.shift)
    return tf.reshape(x, (x.shape[0], x.shape[2]))
