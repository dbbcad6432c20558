"""Rotations of channels, which make all of them equally large and change no result.

Trained transformers have a few channels, and a few hidden tokens, with values a hundred times the others'
(Sun et al. 2024, https://arxiv.org/abs/2402.17762). Eight bits for all channels of a token then leave little
for the others. An orthogonal matrix that is folded into the weights before a tensor, and its transpose into
those after it, spreads each such value over all channels (QuaRot, Ashkboos et al. 2024,
https://arxiv.org/abs/2404.00456). It costs no operator.

- The residual stream of an encoder is kept as `x @ rotation.into`: without the mean over channels, which the
  layer normalizations remove anyway, and rotated. A normalization then needs no mean.
- Values of attention are rotated within each head; attention mixes tokens, not channels.
"""

import functools

import numpy as np
import scipy.fft


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
