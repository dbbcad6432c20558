"""Changes of the queries, keys and values of attention that make all equally large and change no result.

They are one tensor in the file, and int8 has one scale for all of it.

- A query's scale and the inverse for the keys of the same head leave their products as they are.
- A bias of the keys adds the same to all scores of a query, which softmax ignores.
- Values are rotated within each head (`rotation.py`) and scaled, which the projection undoes. Their bias is
  added behind the attention, whose scores have a sum of 1.
"""

import functools

import numpy as np

from keras_vit.export.mobile.pending import Rotated
from keras_vit.export.mobile.rotation import rotation_of_heads

SMALLEST = 1e-12


def balanced(kernel, bias, num_heads, drop_key_bias):
    """Makes queries and keys equally large in a kernel `(hidden_dim, 3 * hidden_dim)` and its bias."""
    hidden_dim = kernel.shape[0]
    weights = np.vstack([kernel, bias])
    if drop_key_bias:
        weights[-1, hidden_dim : 2 * hidden_dim] = 0
    query, key, _ = (np.square(_sizes(weights)).reshape(3, num_heads, -1).mean(axis=-1)) ** 0.5
    scale = np.sqrt(np.maximum(key, SMALLEST) / np.maximum(query, SMALLEST))
    scale = np.concatenate([scale, 1 / scale, np.ones(num_heads)]).repeat(hidden_dim // num_heads)
    weights = weights * scale
    return weights[:-1], weights[-1]


def with_changed_values(kernel, bias, num_heads):
    """Changes the values, the last columns of a kernel `(hidden_dim, units)` and its bias.

    Returns kernel, bias and a function of mixed values that restores them: `changed @ matrix + shift`.
    """
    hidden_dim = kernel.shape[0]
    others, values = np.split(kernel, [-hidden_dim], axis=1)
    rotation = rotation_of_heads(hidden_dim, num_heads)
    values = values @ rotation
    others_bias, shift = np.split(bias, [-hidden_dim])
    scale = _sizes(np.vstack([others, others_bias])).max() / max(_sizes(values).max(), SMALLEST) or 1.0
    changed = np.hstack([others, values * scale]), np.concatenate([others_bias, np.zeros(hidden_dim)])
    return *changed, functools.partial(Rotated, matrix=rotation.T / scale, shift=shift)


def _sizes(weights):
    """How large each channel is for inputs that are normalized: the lengths of the columns."""
    return np.linalg.norm(weights, axis=0)
