"""Metrics of a model of characters on a held-out split, and of a bigram model, the baseline."""

from typing import Any

import keras
import numpy as np
from scipy.special import log_softmax

from keras_vit.models.char_rnn import is_recurrent, sequence_model, zero_states
from keras_vit.text.likelihood import entropy_figures
from keras_vit.text.windows import Windows, split_windows
from keras_vit.training.text.corpus import TextData

MAX_POSITIONS = 32  # of the table by position in a line


def text_metrics(model: keras.Model, data: TextData, batch_size: int = 256) -> dict[str, Any]:
    """Compares a model with the text of the test split, next to a bigram model of the training split.

    Each line starts without context, and its end counts as a character. In running text a recurrent model
    reads the split from end to end, another model window by window, without the window before.
    """
    windows = split_windows(data, data.test)
    targets = windows.targets[windows.mask]
    losses, correct = _token_results(model, windows, data, batch_size)
    counted = bigram_probabilities(split_windows(data, data.train), len(data.vocabulary))
    by_bigram = bigram_losses(counted, windows)
    metrics = {
        "num_items": len(data.test),
        "num_characters": len(targets),
        "accuracy": float(correct.mean()),
        **entropy_figures(float(losses.mean())),
        "bigram": entropy_figures(float(by_bigram.mean())),
        "per_character": [
            {"character": data.vocabulary.symbols[token], **row}
            for token, row in _means(targets, accuracy=correct, cross_entropy=losses)
        ],
    }
    if data.lines:
        rows = _means(np.nonzero(windows.mask)[1], cross_entropy=losses, bigram=by_bigram)
        metrics["per_position"] = [{"position": place + 1, **row} for place, row in rows][:MAX_POSITIONS]
    return metrics


def bigram_probabilities(windows: Windows, vocabulary_size: int) -> np.ndarray:
    """Counts pairs of tokens, one added to each count; returns a row of float64 for each token before."""
    counts = np.ones((vocabulary_size, vocabulary_size))
    np.add.at(counts, (windows.inputs[windows.mask], windows.targets[windows.mask]), 1)
    return counts / counts.sum(axis=1, keepdims=True)


def bigram_losses(probabilities: np.ndarray, windows: Windows) -> np.ndarray:
    """Returns the cross-entropy in nats of each token of windows that counts, `(num_tokens,)`."""
    return -np.log(probabilities[windows.inputs[windows.mask], windows.targets[windows.mask]])


def _token_results(model, windows, data, batch_size):
    """Returns the cross-entropy of each token that counts, and whether it had the highest probability."""
    losses, correct = [], []
    for rows, logits in _logits(model, windows, data, batch_size):
        part = windows.rows(rows)
        targets = part.targets[part.mask]
        log_probabilities = log_softmax(logits[part.mask].astype("float64"), axis=-1)
        losses.append(-log_probabilities[np.arange(len(targets)), targets])
        correct.append(log_probabilities.argmax(axis=1) == targets)
    return np.concatenate(losses), np.concatenate(correct)


def _logits(model, windows, data, batch_size):
    """Yields slices of the rows with their logits: all logits of a long text would not fit into memory."""
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


def _means(groups, **values):
    """Returns pairs of each group's number and the means of the values of its tokens, with their count."""
    chosen = {int(group): groups == group for group in np.unique(groups)}
    return [
        (group, {"count": int(rows.sum()), **{name: float(v[rows].mean()) for name, v in values.items()}})
        for group, rows in chosen.items()
    ]
