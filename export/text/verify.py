"""Compares a file of a character model with the model, on held-out text."""

from itertools import islice

import numpy as np

from keras_vit.errors import ConditionError
from keras_vit.text import generate
from keras_vit.text.likelihood import cross_entropy, read_windows
from keras_vit.text.sampling import gumbel_noise
from keras_vit.text.windows import Windows

STEPPED = 5000  # characters that are also read one at a time
SEED, TEMPERATURE, TOP_K = 0, 0.8, 10  # of the text that is drawn in and outside of the graph


def compare(reader, windows: Windows, reference: np.ndarray) -> dict:
    """Reads held-out text with `score`, and some of it also with `step`.

    Compares both with the model's logits `(rows, window, vocabulary_size)` and returns the figures of a row
    in `export.json`: cross-entropies and `drop` in nats per character, differences as parts of the model's
    largest logit, and the share of characters after which the same one is the likeliest.
    """
    logits, targets = reader.score(windows.inputs)[windows.mask], windows.targets[windows.mask]
    expected = reference[windows.mask]
    largest = np.abs(expected).max()
    nats, expected_nats = cross_entropy(logits, targets), cross_entropy(expected, targets)
    return {
        "num_characters": len(targets),
        "reference_cross_entropy": expected_nats,
        "cross_entropy": nats,
        "step_difference": float(_step_difference(reader, windows) / largest),
        "max_logit_difference": float(np.abs(logits - expected).max() / largest),
        "agreement": float(np.mean(logits.argmax(axis=1) == expected.argmax(axis=1))),
        "drop": nats - expected_nats,
    }


def check_generation(reader, count):
    """Raises ConditionError when `generate` in the graph and `step` outside of it write different texts."""
    description = reader.description
    size = len(description.vocabulary)
    noise = np.stack(list(islice(gumbel_noise(SEED, 1, size), count)), axis=1)
    start, temperature = np.zeros(1, "int32"), np.array([TEMPERATURE], "float32")
    tokens = reader.write(start, noise, temperature, np.array([TOP_K], "int32"))[0]
    inside = description.vocabulary.decode(tokens)
    options = {"temperature": TEMPERATURE, "top_k": TOP_K, "seed": SEED, "max_length": count, "stop": False}
    (outside,) = generate(reader, description.vocabulary, 1, **options)
    if inside != outside:
        raise ConditionError(f"writes {inside!r} inside the graph and {outside!r} character by character")


def _step_difference(reader, windows):
    count = max(1, STEPPED // windows.inputs.shape[1])
    some = windows.rows(np.unique(np.linspace(0, len(windows) - 1, count).astype(int)))
    return np.abs(read_windows(reader, some) - reader.score(some.inputs)).max()
