"""Changes of channels that make all of them equally large and change no result.

Trained transformers have a few channels, and a few hidden tokens, with values a hundred times the others'
(Sun et al. 2024, https://arxiv.org/abs/2402.17762). Eight bits for all channels of a token then leave little
for the others. An orthogonal matrix that is folded into the weights before a tensor, and its transpose into
those after it, spreads each such value over all channels (QuaRot, Ashkboos et al. 2024,
https://arxiv.org/abs/2404.00456). It costs no operator.

- The residual stream of an encoder is kept as `x @ rotation.into`: without the mean over channels, which the
  layer normalizations remove anyway, and rotated. A normalization then needs no mean.
- Values of attention are rotated within each head, for attention mixes tokens, not channels, and scaled,
  which the projection undoes. Their bias is added behind the attention, whose scores have a sum of 1.

Queries, keys and values are one tensor in the file, and int8 has one scale for all of it: a query's scale and
the inverse for the keys of the same head leave their products as they are, and a bias of the keys adds the
same to all scores of a query, which softmax ignores.
"""

import functools

import numpy as np
import scipy.fft

from keras_vit.export.mobile.pending import Rotated

SMALLEST = 1e-12


@functools.cache
def rotation(width):
    """Returns an orthogonal matrix `(width, width)` that spreads each channel over all others.

    A cosine transform after signs that are random but always the same: with it no channel is added to
    another's value by chance of the model's order. There is one for each width, unlike Hadamard's.
    """
    signs = np.random.default_rng(0).choice([-1.0, 1.0], width)
    matrix = signs[:, None] * scipy.fft.dct(np.eye(width), norm="ortho", axis=1)
    matrix.setflags(write=False)
    return matrix


@functools.cache
def without_mean(width):
    """Returns `(width, width)`: removes the mean over channels, and then rotates."""
    matrix = rotation(width) - rotation(width).mean(axis=0)
    matrix.setflags(write=False)
    return matrix


def rotation_of_heads(width, num_heads):
    """Returns the orthogonal matrix `(width, width)` that rotates within each head."""
    return np.kron(np.eye(num_heads), rotation(width // num_heads))


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
