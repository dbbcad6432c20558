"""The transformer encoder and its blocks."""

import functools

import keras
import tensorflow as tf

from keras_vit.export.mobile.attention import ATTENTION_OPTIONS, attention
from keras_vit.export.mobile.dense import MLP_OPTIONS, mlp
from keras_vit.export.mobile.normalization import layer_norm, layer_scale, rotated_layer_norm
from keras_vit.export.mobile.pending import EncoderOutput, keep_scale, mapped, materialize
from keras_vit.export.mobile.registry import handles
from keras_vit.export.mobile.rotation import rotation, without_mean
from keras_vit.export.mobile.tokens import reduced
from keras_vit.layers import TransformerBlock, TransformerEncoder

BLOCK_OPTIONS = (*ATTENTION_OPTIONS, *MLP_OPTIONS, "layer_scale", "norm_first")


@handles(TransformerEncoder, options=("num_layers", *BLOCK_OPTIONS, "final_norm", "reduction"))
def transformer_encoder(layer, x):
    if layer.norm_first and layer.final_norm:
        hidden_dim = layer.blocks[0].attention.qkv.kernel.shape[0]
        before, block, final = mapped(x, without_mean(hidden_dim)), _rotated_block, _rotated_norm
    else:
        before, block, final = materialize(x), _block, functools.partial(_optional, layer_norm)
    norm = _rotated_norm if block is _rotated_block else layer_norm
    scores = []
    for index, each in enumerate(layer.blocks[:-1]):
        before = reduced(layer.reducer, before, norm) if layer.reduces_before(index) else before
        before, block_scores = block(each, before)
        scores.append(block_scores)
    last = layer.num_layers - 1
    before = reduced(layer.reducer, before, norm) if layer.reduces_before(last) else before

    def compute(only_first):
        y, last_scores = block(layer.blocks[-1], before, only_first)
        y = final(layer.norm, y)
        y = keep_scale(lambda x: tf.reshape(x, (x.shape[0], x.shape[2])), y) if only_first else y
        return y, [*scores, last_scores]

    return EncoderOutput(compute)


@handles(TransformerBlock, options=BLOCK_OPTIONS)
def transformer_block(layer, x):
    return _block(layer, materialize(x))[0]


def _block(layer, x, only_first=False):
    """Returns the tokens after a block, or only the first one, and the attention scores."""
    before, after = (layer_norm, _skip) if layer.norm_first else (_skip, layer_norm)
    normed = before(layer.attention_norm, x)
    y, scores = _attention_branch(layer, normed, only_first)
    x = _first(x) if only_first else x
    x = materialize(after(layer.attention_norm, x + materialize(y)))
    y = _mlp_branch(layer, before(layer.mlp_norm, x))
    return materialize(after(layer.mlp_norm, x + materialize(y))), scores


def _rotated_block(layer, x, only_first=False):
    """The same for tokens that are kept without their mean over channels, and rotated."""
    rotate = without_mean(x.shape[-1])
    y, scores = _attention_branch(layer, _rotated_norm(layer.attention_norm, x), only_first)
    x = _first(x) if only_first else x
    x = x + mapped(y, rotate)
    y = _mlp_branch(layer, _rotated_norm(layer.mlp_norm, x))
    return x + mapped(y, rotate), scores


def _rotated_norm(layer, x):
    return rotated_layer_norm(layer, x, rotation(x.shape[-1]))


def _attention_branch(layer, normed, only_first):
    queried = keep_scale(_first, normed) if only_first else normed
    mixed, scores = attention(layer.attention, normed, queried)
    return _optional(layer_scale, layer.attention_scale, mixed), scores


def _mlp_branch(layer, normed):
    return _optional(layer_scale, layer.mlp_scale, mlp(layer.mlp, normed))


def _optional(handler, layer, x):
    """Calls the handler of a layer that is an `Identity` if the option is off."""
    return x if isinstance(layer, keras.layers.Identity) else handler(layer, x)


def _skip(layer, x):
    return x


def _first(x):
    return x[:, :1]
