"""Attention rollout inside a graph: `keras_vit.models.rollout` in operators of TFLite."""

import numpy as np
import tensorflow as tf


def rollout(scores, num_prefix_tokens, start, grid):
    """Returns how much of each patch reaches the output.

    A row of tokens is multiplied by each block's attention, from the last block to the first, which gives the
    product of the blocks' matrices for far less work.

    Args:
        scores: list of `(batch, num_heads, tokens, tokens)`, one per block, rows sum to 1; of the last block
            it may be the first token's row alone.
        num_prefix_tokens, start: as in `keras_vit.models.attention_rollout`; `start` is not None.
        grid: `(rows, columns)` of patches.

    Returns:
        float32 `(batch, rows, columns)`.
    """
    tokens = scores[0].shape[-1]
    reached = np.zeros((1, 1, tokens), "float32")
    if start == "token":
        reached[..., 0] = 1
    else:
        reached[..., num_prefix_tokens:] = 1 / (tokens - num_prefix_tokens)
    for block in reversed(scores):
        attention = tf.reduce_mean(block, axis=1)
        passed = attention if attention.shape[1] == 1 else tf.matmul(reached, attention)
        reached = 0.5 * passed + 0.5 * reached
    return tf.reshape(reached[:, :, num_prefix_tokens:], (-1, *grid))
