"""Follows attention through all blocks of an encoder."""

from typing import Annotated, Any

import keras
import numpy as np

from keras_vit.constraints import Choices, checked
from keras_vit.errors import InputError
from keras_vit.layers import PatchEmbedding, PatchExtraction, TokenPooling, TransformerEncoder
from keras_vit.models.inspection import attention_scores, find_layer, num_prefix_tokens

_PATCHES = (PatchEmbedding, PatchExtraction)


@checked
def attention_rollout(
    scores: list[np.ndarray],
    num_prefix_tokens: int,
    start: Annotated[str, Choices("token", "mean")] | None = None,
) -> np.ndarray:
    """Computes how much of each patch reaches the output, by attention rollout.

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

    Example:
        >>> uniform = np.full((1, 2, 5, 5), 0.2)  # one image, two heads, five tokens
        >>> attention_rollout([uniform], num_prefix_tokens=1).round(2)
        array([[0.1, 0.1, 0.1, 0.1]])

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


@checked
def attention_maps(model: keras.Model, images: Any) -> np.ndarray:
    """Computes the rollout of a model on images, one at a time to bound memory.

    Args:
        model: a `keras.Model` with one `TransformerEncoder` on patches, such as `vit`.
        images: `(num_images, height, width, channels)`.

    Returns:
        float array `(num_images, rows, columns)`, as `attention_rollout` gives it.

    Raises:
        InputError: a model without attention on patches.

    Example:
        >>> from keras_vit.models import vit
        >>> attention_maps(vit("Pico/2"), np.zeros((3, 8, 8, 3))).shape
        (3, 4, 4)
    """
    grid, prefix, start = map_grid(model), num_prefix_tokens(model), rollout_start(model)
    maps = [attention_rollout(attention_scores(model, image[None]), prefix, start)[0] for image in images]
    return np.stack(maps).reshape(len(images), *grid)


def rollout_start(model):
    """Returns where a model's rollout starts: at the token that its head reads, or at the mean of all."""
    pooled = [layer.mode for layer in model.layers if isinstance(layer, TokenPooling)]
    return "token" if pooled == ["token"] else "mean"


def has_attention(model):
    """Returns whether a model has an encoder on patches, whose attention can be shown."""
    encoder = find_layer(model, TransformerEncoder)
    return None not in (find_layer(model, *_PATCHES), encoder) and encoder.reducer is None


def map_grid(model):
    """Returns `(rows, columns)` of a model's patches.

    Raises:
        InputError: a model without attention on patches.
    """
    if not has_attention(model):
        reduces = getattr(find_layer(model, TransformerEncoder), "reducer", None) is not None
        reason = (
            "reduces its tokens, so that its last blocks attend to no patches"
            if reduces
            else ("has no attention to show")
        )
        raise InputError(f"Expected a Vision Transformer on patches, but {model.name!r} {reason}.")
    sides = zip(model.input_shape[1:3], find_layer(model, *_PATCHES).patch_size, strict=True)
    return tuple(side // patch for side, patch in sides)
