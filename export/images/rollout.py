"""Attention rollout inside a graph: `keras_vit.models.rollout` in operators of TFLite."""

import numpy as np
import tensorflow as tf

from keras_vit.models import num_prefix_tokens
from keras_vit.models.rollout import map_grid, rollout_start


def rollout(model, scores):
    """Returns how much of each patch reaches the output of a model, float32 `(batch, rows, columns)`.

    A row of tokens is multiplied by each block's attention, from the last block to the first: the product of
    the blocks' matrices for far less work. `scores` has one `(batch, num_heads, tokens, tokens)` per block;
    the last may have only the first token's row.
    """
    tokens, prefix = scores[0].shape[-1], num_prefix_tokens(model)
    reached = np.zeros((1, 1, tokens), "float32")
    if rollout_start(model) == "token":
        reached[..., 0] = 1
    else:
        reached[..., prefix:] = 1 / (tokens - prefix)
    for block in reversed(scores):
        attention = tf.reduce_mean(block, axis=1)
        passed = attention if attention.shape[1] == 1 else tf.matmul(reached, attention)
        reached = 0.5 * passed + 0.5 * reached
    return tf.reshape(reached[:, :, prefix:], (-1, *map_grid(model)))
