"""Measures how well a character model predicts a text."""

import math

import numpy as np
from scipy.special import log_softmax

from keras_vit.errors import InputError
from keras_vit.text.vocabulary import Vocabulary
from keras_vit.text.windows import Windows, line_windows, running_windows


def read_windows(reader, windows: Windows) -> np.ndarray:
    """Reads rows of tokens, one column at a time; returns logits `(rows, window, vocabulary_size)`."""
    reader.begin(len(windows))
    return read_columns(reader, windows.inputs)


def read_columns(reader, tokens: np.ndarray) -> np.ndarray:
    """Reads tokens `(rows, length)` on, one column at a time; returns logits of what follows each."""
    return np.stack([reader.read(column) for column in tokens.T], axis=1)


def cross_entropy(logits: np.ndarray, targets: np.ndarray) -> float:
    """Returns mean nats per character, of logits `(n, vocabulary_size)` and the tokens that followed."""
    return float(
        -log_softmax(np.asarray(logits, "float64"), axis=-1)[np.arange(len(targets)), targets].mean()
    )


def text_figures(reader, vocabulary: Vocabulary, text: str, lines: bool) -> dict:
    """Returns how well a model predicts a text, whose lines are samples of their own where `lines` is true.

    The keys are `num_characters`, `cross_entropy` in nats per character, `bits_per_character`, `perplexity`.
    """
    items = [line.strip() for line in text.split("\n") if line.strip()]
    if not items:
        raise InputError("Expected a text with at least one character, received an empty one.")
    if lines:
        windows = line_windows(items, vocabulary, max(map(len, items)) + 1)
    else:
        windows = running_windows(text, vocabulary, len(text))
    logits = read_windows(reader, windows)[windows.mask]
    return {
        "num_characters": len(logits),
        **entropy_figures(cross_entropy(logits, windows.targets[windows.mask])),
    }


def entropy_figures(nats: float) -> dict[str, float]:
    """Returns a cross-entropy in nats per character, in bits, and as perplexity, which stays finite."""
    return {
        "cross_entropy": nats,
        "bits_per_character": nats / math.log(2),
        "perplexity": math.exp(min(nats, 700.0)),
    }
