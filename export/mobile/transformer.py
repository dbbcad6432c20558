"""The transformer encoder and its blocks."""

import keras
import tensorflow as tf

from keras_vit.export.mobile.attention import ATTENTION_OPTIONS, attention
from keras_vit.export.mobile.dense import MLP_OPTIONS, mlp
from keras_vit.export.mobile.normalization import layer_norm, layer_scale
from keras_vit.export.mobile.pending import EncoderOutput, keep_scale, materialize
from keras_vit.export.mobile.registry import handles
from keras_vit.layers import TransformerBlock, TransformerEncoder

BLOCK_OPTIONS = (*ATTENTION_OPTIONS, *MLP_OPTIONS, "layer_scale", "norm_first")


@handles(TransformerEncoder, options=("num_layers", *BLOCK_OPTIONS, "final_norm"))
def transformer_encoder(layer, x):
    scores = []
    for block in layer.blocks[:-1]:
        x, block_scores = _block(block, x)
        scores.append(block_scores)
    before = materialize(x)

    def compute(only_first):
        y, last_scores = _block(layer.blocks[-1], before, only_first)
        y = _optional(layer_norm, layer.norm, y)
        y = keep_scale(lambda x: tf.reshape(x, (x.shape[0], x.shape[2])), y) if only_first else y
        return y, [*scores, last_scores]

    return EncoderOutput(compute)


@handles(TransformerBlock, options=BLOCK_OPTIONS)
def transformer_block(layer, x):
    return _block(layer, x)[0]


def _block(layer, x, only_first=False):
    """Returns the tokens after a block, or only the first one, and the attention scores."""
    before, after = (layer_norm, _skip) if layer.norm_first else (_skip, layer_norm)
    x = materialize(x)
    normed = before(layer.attention_norm, x)
    queried = keep_scale(_first, normed) if only_first else normed
    mixed, scores = attention(layer.attention, normed, queried)
    x = _first(x) if only_first else x
    x = x + materialize(_optional(layer_scale, layer.attention_scale, mixed))
    x = materialize(after(layer.attention_norm, x))
    y = mlp(layer.mlp, before(layer.mlp_norm, x))
    return after(layer.mlp_norm, x + materialize(_optional(layer_scale, layer.mlp_scale, y))), scores


def _optional(handler, layer, x):
    """Calls the handler of a layer that is an `Identity` if the option is off."""
    return x if isinstance(layer, keras.layers.Identity) else handler(layer, x)


def _skip(layer, x):
    return x


def _first(x):
    return x[:, :1]
