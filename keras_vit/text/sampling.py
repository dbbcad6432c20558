"""Draws the next character from logits, with noise that is given."""

from collections.abc import Iterator

import numpy as np
from scipy.special import softmax


def gumbel_noise(seed: int, num_samples: int, vocabulary_size: int) -> Iterator[np.ndarray]:
    """Yields, without end, float32 noise `(num_samples, vocabulary_size)` that draws the next characters.

    Each sample has its own random stream, so that it does not depend on how many are drawn at once: a phone
    that draws one at a time gets the texts that a server draws together.
    """
    streams = [np.random.default_rng((seed, sample)) for sample in range(num_samples)]
    while True:
        yield np.stack([stream.gumbel(size=vocabulary_size) for stream in streams]).astype("float32")


def draw(probabilities, noise):
    """Draws a token for each row of probabilities: the largest sum of a logarithm and Gumbel noise.

    Reference: https://arxiv.org/abs/1411.0030, section 2
    """
    with np.errstate(divide="ignore"):  # what has no probability is never the largest
        return (np.log(probabilities) + noise).argmax(axis=1).astype("int32")


def next_probabilities(logits, temperature=1.0, top_k=None, top_p=None, excluded=None):
    """Returns float64 probabilities `(batch, vocabulary_size)`; the token `excluded` must not follow."""
    logits = np.array(logits, "float64")
    if excluded is not None:
        logits[:, excluded] = -np.inf
    logits -= logits.max(axis=1, keepdims=True)  # or a temperature near 0 would make infinities of them
    with np.errstate(over="ignore"):
        probabilities = softmax(logits / temperature, axis=1)
    if top_k is not None:
        probabilities = _keep(probabilities, lambda ordered: np.arange(ordered.shape[1]) < top_k)
    if top_p is not None:
        # The character that crosses the threshold is kept: the sum of those before it is below the threshold.
        probabilities = _keep(probabilities, lambda ordered: ordered.cumsum(axis=1) - ordered < top_p)
    return probabilities


def _keep(probabilities, kept_places):
    order = np.argsort(-probabilities, axis=1, kind="stable")
    ordered = np.take_along_axis(probabilities, order, axis=1)
    ordered = np.where(kept_places(ordered), ordered, 0.0)
    kept = np.zeros_like(probabilities)
    np.put_along_axis(kept, order, ordered, axis=1)
    return kept / kept.sum(axis=1, keepdims=True)
