"""Metrics of a model of characters on a held-out split."""

import math

import keras
import numpy as np
from scipy.special import log_softmax

from keras_vit.models.char_rnn import is_recurrent, sequence_model, zero_states
from keras_vit.text.windows import split_windows
from keras_vit.training.text.bigram import bigram_losses, bigram_probabilities

MAX_POSITIONS = 32  # of the table by position in a line


def text_metrics(model, data, batch_size=256):
    """Compares a model with the text of the test split, next to a bigram model of the training split.

    Each line starts without context. In running text a recurrent model reads the split from end to end;
    another model reads window by window, without the window before.

    Args:
        model: `char_rnn` or `char_transformer`.
        data: TextData.
        batch_size: int.

    Returns:
        dict of numbers, lists and dicts, ready for JSON: `num_items`; `num_characters`, with one end for
        each line; `accuracy`, of the likeliest character; `cross_entropy` in nats per character;
        `bits_per_character`; `perplexity`; `bigram` of the last three; `per_character`, a list of
        `character`, `count`, `accuracy` and `cross_entropy`; `per_position`, for lines, a list of
        `position`, `count`, `cross_entropy` and `bigram`.
    """
    windows = split_windows(data, data.test)
    targets = windows.targets[windows.mask]
    losses, correct = _token_results(model, windows, data, batch_size)
    counted = bigram_probabilities(split_windows(data, data.train), len(data.vocabulary))
    by_bigram = bigram_losses(counted, windows)
    return {
        "num_items": len(data.test),
        "num_characters": len(targets),
        "accuracy": float(correct.mean()),
        **_figures(losses),
        "bigram": _figures(by_bigram),
        "per_character": _per_character(targets, losses, correct, data.vocabulary.symbols),
        **({"per_position": _per_position(windows.mask, losses, by_bigram)} if data.lines else {}),
    }


def _token_results(model, windows, data, batch_size):
    """Returns the cross-entropy of each token that counts, and whether it had the highest probability."""
    losses, correct = [], []
    for rows, logits in _logits(model, windows, data, batch_size):
        part = windows.rows(rows)
        targets, log_probabilities = (
            part.targets[part.mask],
            log_softmax(logits[part.mask].astype("float64"), axis=-1),
        )
        losses.append(-log_probabilities[np.arange(len(targets)), targets])
        correct.append(log_probabilities.argmax(axis=1) == targets)
    return np.concatenate(losses), np.concatenate(correct)


def _logits(model, windows, data, batch_size):
    """Yields slices of the rows with their logits: those of a whole long text would not fit into memory."""
    if data.lines or not is_recurrent(model):
        for first in range(0, len(windows), batch_size):
            rows = slice(first, first + batch_size)
            yield rows, model.predict_on_batch(windows.inputs[rows])
        return
    reading = sequence_model(model)
    states = zero_states(reading, 1)
    for row in range(len(windows)):
        rows = slice(row, row + 1)
        logits, *states = reading.predict_on_batch([keras.ops.array(windows.inputs[rows]), *states])
        states = [keras.ops.array(state) for state in states]
        yield rows, logits


def _figures(losses):
    mean = float(losses.mean())
    return {
        "cross_entropy": mean,
        "bits_per_character": mean / math.log(2),
        "perplexity": math.exp(min(mean, 700.0)),
    }


def _per_character(targets, losses, correct, symbols):
    rows = []
    for token in np.flatnonzero(np.bincount(targets, minlength=len(symbols))):
        chosen = targets == token
        rows.append(
            {
                "character": symbols[token],
                "count": int(chosen.sum()),
                "accuracy": float(correct[chosen].mean()),
                "cross_entropy": float(losses[chosen].mean()),
            }
        )
    return rows


def _per_position(mask, losses, by_bigram):
    places = np.nonzero(mask)[1]
    rows = []
    for place in range(min(places.max() + 1, MAX_POSITIONS)):
        chosen = places == place
        rows.append(
            {
                "position": int(place + 1),
                "count": int(chosen.sum()),
                "cross_entropy": float(losses[chosen].mean()),
                "bigram": float(by_bigram[chosen].mean()),
            }
        )
    return rows
