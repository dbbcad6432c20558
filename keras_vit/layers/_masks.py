"""Masks of attention, with the meaning that they have in Keras."""

from keras import ops

from keras_vit.errors import InputError


def merged_mask(x, attention_mask, *token_masks):
    """Returns which keys each query sees as `(batch, num_heads, length, length)`, or None for all.

    Args:
        x: `(batch, length, hidden_dim)`.
        attention_mask: `(length, length)`, `(batch, length, length)`, four axes that broadcast to the result,
            or None. True where a query (second to last axis) sees a key (last axis).
        *token_masks: `(batch, length)` or None. False for tokens that no query sees.

    Raises:
        InputError: an attention mask of another number of axes, or of two axes that are not the length.
    """
    masks = [ops.cast(mask, "bool")[:, None, None] for mask in token_masks if mask is not None]
    if attention_mask is not None:
        masks.append(_four_axes(ops.cast(attention_mask, "bool"), x.shape))
    merged = None
    for mask in masks:
        merged = mask if merged is None else ops.logical_and(merged, mask)
    return merged


def _four_axes(mask, shape):
    length, axes = shape[1], len(mask.shape)
    is_square = all(side in (None, 1, length) or length is None for side in mask.shape[-2:])
    if axes not in (2, 3, 4) or not is_square:
        raise InputError(
            "Expected attention_mask to be (length, length), (batch, length, length) or (batch, num_heads, "
            f"length, length) for x of shape {tuple(shape)}, received {tuple(mask.shape)}. Give a mask of "
            "tokens, (batch, length), as mask."
        )
    return mask[None, None] if axes == 2 else mask[:, None] if axes == 3 else mask


def with_added_tokens(mask, count, place=0):
    """Returns a mask of tokens `(batch, length)` with `count` tokens that are seen inserted at `place`."""
    if mask is None:
        return None
    mask = ops.cast(mask, "bool")
    seen = ops.repeat(ops.ones_like(mask[:, :1]), count, axis=1)
    return ops.concatenate([mask[:, :place], seen, mask[:, place:]], axis=1)
