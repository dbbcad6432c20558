"""Exports a character model in several variants, each verified and measured before it gets its name."""

import dataclasses
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from keras_vit.errors import ConditionError, InputError
from keras_vit.export.images.checks import check_backend
from keras_vit.export.images.export_images import check_passed
from keras_vit.export.images.inference_model import in_float32
from keras_vit.export.text.description import NAME, TextDescription
from keras_vit.export.text.form import text_form
from keras_vit.export.text.readers import SavedModelReader, TfliteReader
from keras_vit.export.text.verify import FLOAT32_TOLERANCE, check_generation, verify
from keras_vit.export.text.write import write_saved_model, write_tflite
from keras_vit.export.variants import AUTO, FILES
from keras_vit.export.verification.choose import keep_fastest
from keras_vit.export.verification.measurement import num_threads, size_bytes
from keras_vit.export.verification.record import (
    SAVED_MODEL_MARK,
    fingerprint,
    remove,
    take_earlier_rows,
    write_record,
)
from keras_vit.io.files import atomic_path, write_bytes

VARIANTS = ("savedmodel", "fp32", "fp16", "dynamic_int8")
CANDIDATES = ("fp32", "fp16", "dynamic_int8")  # of auto
MAX_DROP = 0.01  # nats per character: one percent of perplexity
CHARACTERS = 32  # that `generate` writes at once
FLOAT32 = ("savedmodel", "fp32")
ROUNDS = 200  # of timing


def export_text(
    model,
    vocabulary,
    windows,
    folder,
    *,
    lines,
    variants=VARIANTS,
    max_drop=MAX_DROP,
    characters=CHARACTERS,
    report=None,
    progress=None,
):
    """Writes a character model's variants, and keeps those that read held-out text as the model does.

    `keras_vit.export.text.write` describes the signatures of a file. Rows of variants that are not asked for
    stay in `export.json` when they come from the same weights and vocabulary; others are removed.

    Args:
        model: trained `char_rnn` or `char_transformer`.
        vocabulary: Vocabulary of the model.
        windows: `keras_vit.text.windows.Windows` of text that was not used in training; their length is that
            of the signature `score`.
        folder: str or Path. Gets the files, `text.json` and `export.json`.
        lines: bool, a text is one line and ends with a newline; or running text.
        variants: which of `savedmodel`, `fp32`, `fp16`, `dynamic_int8`; or `auto`, which tries the last three
            and keeps the fastest.
        max_drop: float, nats per character that a variant may lose.
        characters: int, how many the signature `generate` writes at once.
        report: called with the rows when all variants were tried, before any error.
        progress: called with a variant and what is done with it, such as `("fp32", "converting")`.

    Returns:
        A list of dicts, one per variant that was tried, as in `export.json`; sizes in bytes, latency in
        milliseconds for one character, of a TFLite file the CPU time of one thread.

    Raises:
        InputError: unknown variant, a model, vocabulary or text that do not fit, or a folder that cannot be
            written.
        ConditionError: some variant failed (with `auto`: all did); it has left no file, the others stand.
    """
    check_backend()
    _check(model, vocabulary, windows, variants, characters)
    model = in_float32(model)
    description = TextDescription(vocabulary, windows.inputs.shape[1], lines)
    reference = _reference(model, windows)
    folder = Path(folder)
    mark = fingerprint(model, vocabulary.symbols)
    write_bytes(folder / NAME, description.to_bytes())
    named = [variant for variant in variants if variant != AUTO]
    candidates = [v for v in CANDIDATES if v not in named] if AUTO in variants else []
    kept = take_earlier_rows(folder, named + candidates, mark)
    attempt = _Attempt(model, description, windows, reference, max_drop, characters, progress)
    rows = [attempt(variant, folder) for variant in named]
    attempt.time_in_turn(rows)
    chosen = _choose(attempt, candidates, folder, rows) if AUTO in variants else []
    rows += chosen
    write_record(folder, kept + rows, mark)
    if report:
        report(rows)
    check_passed(rows, chosen, folder)
    return rows


def _choose(attempt, candidates, folder, named):
    """Tries the candidates aside and keeps the fastest; one that was asked for by name is marked only."""
    with tempfile.TemporaryDirectory(prefix=".auto-", dir=folder) as place:
        place = Path(place)
        rows = [attempt(variant, place) for variant in candidates]
        attempt.time_in_turn(named + rows)
        keep_fastest(rows, [row for row in named if row["variant"] in CANDIDATES], place, folder)
    return rows


class _Attempt:
    """Writes one variant after the other, verifies each, and times them in turn."""

    def __init__(self, model, description, windows, reference, max_drop, characters, progress):
        self.model = model
        self.description = description
        self.windows = windows
        self.reference = reference
        self.max_drop = max_drop
        self.characters = characters
        self.progress = progress
        self.readers = {}

    def __call__(self, variant, folder):
        """Returns the variant's row; its file is in the folder when it passed, and no file when not."""
        final = folder / FILES[variant]
        row = {
            "variant": variant,
            "file": FILES[variant],
            "passed": False,
            "failure": None,
            "max_drop": self.max_drop,
        }
        try:
            with atomic_path(final, mark=SAVED_MODEL_MARK) as temporary:
                self._say(variant, "converting")
                reader = self._write(variant, temporary)
                self._say(variant, f"verifying on {self.windows.mask.sum():,} characters")
                verification = verify(reader, self.windows, self.reference)
                row.update(dataclasses.asdict(verification), drop=verification.drop)
                row.update(size=size_bytes(temporary), threads=num_threads(variant))
                self.readers[variant] = reader
                _judge(row, self.max_drop)
                check_generation(reader, self.characters)
            row["passed"] = True
        except ConditionError as error:
            row["failure"] = str(error)
            remove(final)
        return row

    def time_in_turn(self, rows):
        """Writes the latency of one character into the rows; rounds go A B C A B C."""
        timed = [row for row in rows if row["variant"] in self.readers]
        times = {row["variant"]: [] for row in timed}
        for row in timed:
            self.readers[row["variant"]].begin(1)
        for _ in range(ROUNDS):
            for variant, measured in times.items():
                clock = time.perf_counter if variant == "savedmodel" else time.thread_time
                started = clock()
                self.readers[variant].read(np.zeros(1, "int32"))
                measured.append(1000 * (clock() - started))
        for row in timed:
            row["latency_ms"] = statistics.median(times[row["variant"]])

    def _say(self, variant, step):
        if self.progress:
            self.progress(variant, step)

    def _write(self, variant, path):
        try:
            if variant == "savedmodel":
                write_saved_model(self.model, self.description, self.characters, path)
                return SavedModelReader(path)
            write_tflite(self.model, self.description, self.characters, variant, path)
            return TfliteReader(path)
        except InputError as error:  # bad input for others, but here it is our own work that failed
            raise ConditionError(str(error).replace(str(path), path.name)) from error


def _judge(row, max_drop):
    if not np.isfinite(row["cross_entropy"]) or row["drop"] > max_drop:
        raise ConditionError(
            f"lost {row['drop']:.4f} nats per character, allowed are {max_drop:g}: allow more, or choose fp16"
        )
    differences = ("max_logit_difference", "step_difference")
    worst = max(row[name] for name in differences)
    if row["variant"] in FLOAT32 and worst > FLOAT32_TOLERANCE:
        raise ConditionError(
            f"differs from the model by {worst:.1e} of the largest logit, float32 arithmetic allows "
            f"{FLOAT32_TOLERANCE:.0e}"
        )


def _reference(model, windows):
    logits = model.predict(windows.inputs, batch_size=64, verbose=0)
    if not np.isfinite(logits).all() or not all(np.isfinite(weight).all() for weight in model.get_weights()):
        raise InputError(
            "The model's weights or answers are NaN or infinite: it is not worth exporting. Train anew."
        )
    return logits


def _check(model, vocabulary, windows, variants, characters):
    unknown = [variant for variant in variants if variant not in (*VARIANTS, AUTO)]
    if unknown:
        raise InputError(
            f"Variant {unknown[0]!r} is not for text. Expected {AUTO} or one of {', '.join(VARIANTS)}."
        )
    if characters < 1:
        raise InputError(f"Expected at least 1 character for generate to write, received {characters}.")
    text_form(model, on_phone=False)
    if model.output_shape[2] != len(vocabulary):
        raise InputError(
            f"Expected one logit per token: the model has {model.output_shape[2]} outputs, the vocabulary "
            f"{len(vocabulary)} tokens."
        )
    length = model.input_shape[1]
    if not windows.mask.any() or length not in (None, windows.inputs.shape[1]):
        raise InputError(
            f"Expected held-out windows of {length or 'some'} characters, received {windows.inputs.shape}."
        )
