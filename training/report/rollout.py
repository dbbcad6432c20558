"""Follows attention through all blocks of an encoder."""

import numpy as np

from keras_vit.errors import InputError


def attention_rollout(scores, num_prefix_tokens, start=None):
    """Tells how much of each patch reaches the output, by attention rollout.

    Each block's attention is averaged over its heads, the residual connection is added as an identity,
    and the blocks' matrices are multiplied.

    Args:
        scores: list of arrays `(batch, num_heads, tokens, tokens)`, one per block; rows sum to 1.
        num_prefix_tokens: int, tokens before the patches: class token and registers.
        start: `"token"` (what reaches the first token), `"mean"` (the mean over what reaches the
            patches) or None: `"token"` where there are prefix tokens.

    Returns:
        float array `(batch, num_patches)`. Not normalised: the rest came from the prefix tokens.

    Raises:
        InputError: no scores, or no token after the prefix.

    Reference: Abnar and Zuidema 2020, section 3, https://arxiv.org/abs/2005.00928
    """
    if not scores or scores[0].shape[-1] <= num_prefix_tokens:
        raise InputError(
            "Expected the attention of at least one block with more tokens than the "
            f"{num_prefix_tokens} prefix tokens, received {[np.shape(s) for s in scores]}."
        )
    tokens = scores[0].shape[-1]
    rollout = np.eye(tokens)[None]
    for block in scores:
        attention = 0.5 * block.astype("float64").mean(axis=1) + 0.5 * np.eye(tokens)
        rollout = attention / attention.sum(axis=-1, keepdims=True) @ rollout
    start = start or ("token" if num_prefix_tokens else "mean")
    reached = rollout[:, 0] if start == "token" else rollout[:, num_prefix_tokens:].mean(axis=1)
    return reached[:, num_prefix_tokens:]
