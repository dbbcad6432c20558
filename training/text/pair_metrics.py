"""Metrics of a model that writes the target of a source, on held-out pairs."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from keras_vit.text.likelihood import cross_entropy
from keras_vit.text.transduction import PairReader, transduce
from keras_vit.training import chance
from keras_vit.training.data.streams import rows_of
from keras_vit.training.text.batches import pair_arrays
from keras_vit.training.text.pairs import Pair, PairData

NUM_EXAMPLES = 20  # of wrong answers, and of right ones
_ROWS = 256  # that are computed at once


def pair_metrics(model: keras.Model, data: PairData) -> dict[str, Any]:
    """Compares what a model writes, by itself, with the targets of the validation and the test split.

    Returns:
        dict for JSON. `exact_match` is the share of test pairs whose target is written without a fault, with
        its interval of 95 %, and `validation` the same of that split. `cross_entropy`, in nats, and
        `accuracy` are of the next character of a test target, given those before it. `examples` are some
        wrong and some right answers.
    """
    reader = PairReader(model)
    answers = transduce(reader, data.vocabulary, [source for source, _ in data.test])
    held = transduce(reader, data.vocabulary, [source for source, _ in data.validation])
    return {
        **_matches(answers, data.test),
        **_of_characters(model, data),
        "validation": _matches(held, data.validation),
        "examples": _examples(answers, data.test),
    }


def _matches(answers: Sequence[str], pairs: Sequence[Pair]):
    right = np.array([answer == target for answer, (_, target) in zip(answers, pairs, strict=True)])
    return {
        "num_pairs": len(pairs),
        "exact_match": float(right.mean()),
        "exact_match_interval": chance.interval(right),
    }


def _of_characters(model, data):
    inputs, targets, weights = pair_arrays(data, data.test)
    logits, following = [], []
    for first in range(0, len(targets), _ROWS):
        rows = slice(first, first + _ROWS)
        counted = weights[rows] > 0
        logits.append(model.predict_on_batch(list(rows_of(inputs, rows)))[counted])
        following.append(targets[rows][counted])
    logits, following = np.concatenate(logits), np.concatenate(following)
    return {
        "num_characters": len(following),
        "accuracy": float(np.mean(logits.argmax(axis=1) == following)),
        "cross_entropy": cross_entropy(logits, following),
    }


def _examples(answers, pairs):
    found = {"wrong": [], "right": []}
    for answer, (source, target) in zip(answers, pairs, strict=True):
        rows = found["right" if answer == target else "wrong"]
        if len(rows) < NUM_EXAMPLES:
            rows.append({"source": source, "target": target, "answer": answer})
    return found
