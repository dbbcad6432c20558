"""Masks of attention, with the meaning that they have in Keras."""

import functools

from keras import ops

from keras_vit.errors import InputError


def merged_mask(x, num_heads, attention_mask, *token_masks):
    """Returns which keys each query sees as `(batch, num_heads, length, length)`, or None for all.

    Args:
        x: `(batch, length, hidden_dim)`.
        num_heads: int.
        attention_mask: `(length, length)`, `(batch, length, length)`, four axes that broadcast to the result,
            or None. True where a query (second to last axis) sees a key (last axis).
        *token_masks: `(batch, length)` or None. False for tokens that no query sees.

    Raises:
        InputError: a mask of another shape.
    """
    masks = [token_mask(x, mask)[:, None, None] for mask in token_masks if mask is not None]
    if attention_mask is not None:
        masks.append(_four_axes(ops.cast(attention_mask, "bool"), num_heads, x.shape))
    return functools.reduce(ops.logical_and, masks) if masks else None


def token_mask(x, mask):
    """Returns a mask of tokens as bool `(batch, length)`, or raises InputError for one of another shape."""
    mask = ops.cast(mask, "bool")
    if not _fits(mask.shape, x.shape[:2]):
        raise InputError(
            f"Expected mask to be (batch, length) for x of shape {tuple(x.shape)}, received "
            f"{tuple(mask.shape)}. Give a mask of pairs of tokens as attention_mask."
        )
    return mask


def _four_axes(mask, num_heads, shape):
    batch, length, _ = shape
    axes = len(mask.shape)
    expected = {2: (length, length), 3: (batch, length, length), 4: (batch, num_heads, length, length)}
    if not _fits(mask.shape, expected.get(axes, ())):
        raise InputError(
            "Expected attention_mask to be (length, length), (batch, length, length) or (batch, num_heads, "
            f"length, length) for x of shape {tuple(shape)} and {num_heads} heads, received "
            f"{tuple(mask.shape)}. Give a mask of tokens, (batch, length), as mask."
        )
    return mask[None, None] if axes == 2 else mask[:, None] if axes == 3 else mask


def _fits(shape, expected):
    """Returns whether a shape broadcasts to the expected one, as far as both are known."""
    sides = zip(shape, expected, strict=False)
    return len(shape) == len(expected) and all(s in (None, 1, known) or known is None for s, known in sides)


def with_added_tokens(mask, count, place=0):
    """Returns a mask of tokens `(batch, length)` with `count` tokens that are seen inserted at `place`."""
    if mask is None:
        return None
    mask = ops.cast(mask, "bool")
    seen = ops.repeat(ops.ones_like(mask[:, :1]), count, axis=1)
    return ops.concatenate([mask[:, :place], seen, mask[:, place:]], axis=1)
