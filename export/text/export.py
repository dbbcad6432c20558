"""Exports a character model."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_vit.errors import InputError, counted
from keras_vit.export.app.text_guide import text_guide
from keras_vit.export.model.precision import in_float32
from keras_vit.export.text.character_export import AGREEMENT, CharacterExport, check_vocabulary
from keras_vit.export.text.description import TextDescription
from keras_vit.export.text.form import text_form
from keras_vit.export.text.readers import load_text_reader
from keras_vit.export.text.verify import check_generation, compare
from keras_vit.export.text.write import write_text_model
from keras_vit.export.variants import TEXT_VARIANTS
from keras_vit.export.verification.export import (
    check_backend,
    check_finite,
    check_variants,
    export_variants,
)
from keras_vit.export.verification.latencies import read_latencies
from keras_vit.text import Vocabulary
from keras_vit.text.windows import Windows

MAX_DROP = 0.01  # nats per character: one percent of perplexity
CHARACTERS = 32  # that `generate` writes at once


def export_text(
    model: keras.Model,
    vocabulary: Vocabulary,
    windows: Windows,
    folder: str | Path,
    *,
    lines: bool,
    variants: Sequence[str] = TEXT_VARIANTS,
    max_drop: float = MAX_DROP,  # nats per character
    characters: int = CHARACTERS,
    latencies: str | Path | None = None,
    report: Callable[[list[dict[str, Any]]], object] | None = None,
    progress: Callable[[str, str], object] | None = None,
) -> list[dict[str, Any]]:
    """Writes a model of characters, and keeps the variants that read held-out text as it does.

    The counterpart of `keras_vit.export.export_model`, with the same folder, rows and errors; the latency is
    that of one character. The windows are text that was not used in training, and their length is that of the
    signature `score` (see `keras_vit.export.text.write`).
    """
    check_backend()
    check_variants(variants, TextExport)
    _check(model, vocabulary, windows, characters)
    model, folder = in_float32(model), Path(folder)
    reference = model.predict(windows.inputs, batch_size=64, verbose=0)
    check_finite(model, reference)
    description = TextDescription(vocabulary, windows.inputs.shape[1], lines)
    export = TextExport(model, description, windows, reference, characters)
    return export_variants(export, folder, variants, max_drop, report, progress, read_latencies(latencies))


@dataclasses.dataclass
class TextExport(CharacterExport):
    description: TextDescription
    windows: Windows
    reference: np.ndarray  # the model's logits
    characters: int

    kind = "text"
    drop = "{:.4f} nats per character"
    differences = {
        "max_logit_difference": "of the largest logit",
        "step_difference": "of the largest logit between step and score",
    }
    timing_rounds = 200
    columns = {
        "step": lambda row: f"{1000 * row['latency_ms']:.0f} us",
        "nats": lambda row: f"{row['cross_entropy']:.4f}",
        "drop": lambda row: f"{row['drop']:+.4f}",
        **AGREEMENT,
    }

    def __post_init__(self):
        super().__post_init__()
        self.sample = counted(self.windows.mask.sum(), "character")

    def guide(self, files):
        return text_guide(self.model.name, files, self.description)

    def write(self, variant, path, spared=()):
        write_text_model(self.model, self.description, self.characters, variant, path)
        return load_text_reader(path)

    def verify(self, predictor):
        return compare(predictor, self.windows, self.reference)

    def check(self, predictor):
        check_generation(predictor, self.characters)

    def timed(self, predictor):
        token = np.zeros(1, "int32")
        predictor.begin(1)
        return lambda: predictor.read(token)


def _check(model, vocabulary, windows, characters):
    if characters < 1:
        raise InputError(f"Expected at least 1 character for generate to write, received {characters}.")
    text_form(model, on_phone=False)
    check_vocabulary(model, vocabulary)
    length = model.input_shape[1]
    if not windows.mask.any() or length not in (None, windows.inputs.shape[1]):
        raise InputError(
            f"Expected held-out windows of {length or 'some'} characters, received {windows.inputs.shape}."
        )
