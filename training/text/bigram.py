"""A model that counts which character follows which: the baseline for all others."""

import numpy as np


def bigram_probabilities(windows, vocabulary_size):
    """Counts pairs of tokens, one added to each count.

    Args:
        windows: Windows of the training split.
        vocabulary_size: int.

    Returns:
        float64 array `(vocabulary_size, vocabulary_size)`, rows are the token before and sum to 1.
    """
    counts = np.ones((vocabulary_size, vocabulary_size))
    np.add.at(counts, (windows.inputs[windows.mask], windows.targets[windows.mask]), 1)
    return counts / counts.sum(axis=1, keepdims=True)


def bigram_losses(probabilities, windows):
    """Returns the cross-entropy in nats of each token of windows that counts, `(num_tokens,)`."""
    return -np.log(probabilities[windows.inputs[windows.mask], windows.targets[windows.mask]])
