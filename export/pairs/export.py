"""Exports a model of pairs of texts."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_vit.errors import InputError, counted
from keras_vit.export.model.precision import in_float32
from keras_vit.export.pairs.form import PairForm
from keras_vit.export.pairs.readers import load_pair_reader
from keras_vit.export.pairs.write import write_pair_model
from keras_vit.export.text.character_export import AGREEMENT, CharacterExport, check_vocabulary
from keras_vit.export.text.description import PairDescription
from keras_vit.export.variants import TEXT_VARIANTS
from keras_vit.export.verification.export import (
    check_backend,
    check_finite,
    check_variants,
    export_variants,
)
from keras_vit.export.verification.latencies import read_latencies
from keras_vit.io.figures import latency_words
from keras_vit.text import Vocabulary
from keras_vit.text.likelihood import read_columns
from keras_vit.text.transduction import PairReader, transduce
from keras_vit.text.windows import line_windows, padded_tokens

MAX_DROP = 0.5  # points of exact match
MOST_TESTED = 1000  # pairs, of more evenly chosen ones


def export_pairs(
    model: keras.Model,
    vocabulary: Vocabulary,
    pairs: Sequence[tuple[str, str]],
    folder: str | Path,
    *,
    variants: Sequence[str] = TEXT_VARIANTS,
    max_drop: float = MAX_DROP,  # points of exact match
    latencies: str | Path | None = None,
    report: Callable[[list[dict[str, Any]]], object] | None = None,
    progress: Callable[[str, str], object] | None = None,
) -> list[dict[str, Any]]:
    """Writes a `char_seq2seq`, and keeps the variants that write held-out targets as it does.

    The counterpart of `keras_vit.export.export_model`, with the same folder, rows and errors; the latency is
    that of one source and the longest target. The pairs were not used in training.
    """
    check_backend()
    check_variants(variants, PairExport)
    _check(model, vocabulary, pairs)
    model, folder = in_float32(model), Path(folder)
    reader = PairReader(model)
    description = PairDescription(vocabulary, reader.max_source, reader.max_target)
    chosen = np.unique(np.linspace(0, len(pairs) - 1, min(MOST_TESTED, len(pairs))).astype(int))
    export = PairExport(model, description, [pairs[row] for row in chosen])
    check_finite(model, export.logits)
    return export_variants(export, folder, variants, max_drop, report, progress, read_latencies(latencies))


@dataclasses.dataclass
class PairExport(CharacterExport):
    description: PairDescription
    pairs: list[tuple[str, str]]

    kind = "pairs of texts"
    drop = "{:.2f} points of exact match"
    differences = {
        "max_logit_difference": "of the largest logit",
        "answer_difference": "of the answers",  # one of MOST_TESTED is more than float32 is allowed
    }
    timing_rounds = 50
    columns = {
        "answer": lambda row: latency_words(row["latency_ms"]),
        "exact match": lambda row: f"{100 * row['exact_match']:.2f} %",
        "drop": lambda row: f"{row['drop']:+.2f}",
        **AGREEMENT,
    }

    def __post_init__(self):
        super().__post_init__()
        known = self.description
        self.sources, self.targets = zip(*self.pairs, strict=True)
        self.tokens = padded_tokens(self.sources, known.vocabulary, known.max_source)
        self.windows = line_windows(self.targets, known.vocabulary, known.max_target + 1)
        self.logits = self.model.predict([self.tokens, self.windows.inputs], batch_size=64, verbose=0)
        self.answers = transduce(PairReader(self.model), known.vocabulary, self.sources)
        self.sample = counted(len(self.pairs), "pair")

    def write(self, variant, path, spared=()):
        write_pair_model(self.model, self.description, variant, path)
        return load_pair_reader(path)

    def verify(self, predictor):
        """Compares the logits of given targets character by character, and what is written without them."""
        predictor.begin(self.tokens)
        counts = self.windows.mask
        logits, expected = read_columns(predictor, self.windows.inputs)[counts], self.logits[counts]
        answers = transduce(predictor, self.description.vocabulary, self.sources)
        exact, before = _share(answers, self.targets), _share(self.answers, self.targets)
        agreement = _share(answers, self.answers)
        return {
            "num_pairs": len(self.pairs),
            "reference_exact_match": before,
            "exact_match": exact,
            "max_logit_difference": float(np.abs(logits - expected).max() / np.abs(expected).max()),
            "answer_difference": 1 - agreement,
            "agreement": agreement,
            "drop": 100 * (before - exact),
        }

    def timed(self, predictor):
        row, token = self.tokens[:1], np.zeros(1, "int32")

        def answer():
            predictor.begin(row)
            for _ in range(predictor.max_target + 1):
                predictor.read(token)

        return answer


def _share(answers, expected):
    return float(np.mean([a == b for a, b in zip(answers, expected, strict=True)]))


def _check(model, vocabulary, pairs):
    PairForm(model)
    check_vocabulary(model, vocabulary)
    if not pairs:
        raise InputError("Expected at least one held-out pair, received none.")
    if model.inputs[1].shape[1] is None:
        raise InputError(f"Expected {model.name!r} with a target_length, received one for any length.")
