"""Exports a model in several variants, each verified and measured before it gets its name."""

import contextlib
import dataclasses
from pathlib import Path

import numpy as np
import tensorflow as tf

from export.checks import check_calibration, check_held_out, check_variants
from export.choose import choose
from export.inference_model import inference_model
from export.measurement import latencies_ms, latency_ms, num_threads, size_bytes
from export.mobile import mobile_form
from export.plot import PLOT, write_plot
from export.predictor import saved_model_predictor, tflite_predictor
from export.quantize import Quantization
from export.quantize_rules import RULES
from export.record import (
    AUTO,
    CANDIDATES,
    DEFAULT,
    FILES,
    NAME,
    fingerprint,
    remove,
    take_earlier_rows,
    write_record,
)
from export.saved_model import write_saved_model
from export.tflite import write_tflite
from export.verify import compare
from keras_vit.errors import ConditionError, InputError
from keras_vit.files import atomic_path, write_text
from keras_vit.models import attention_maps

# The same float32 arithmetic in another order: a probability moves by some roundings of 6e-8 in each of
# some hundred sums. 1e-4 is far above what was seen (1e-6) and far below what any mistake would give.
FLOAT32_TOLERANCE = 1e-4
MAP_IMAGES = 16  # whose attention is compared; a map differs relative to the largest value of all


@dataclasses.dataclass(frozen=True)
class _HeldOut:
    images: np.ndarray
    labels: np.ndarray
    reference: np.ndarray  # the Keras model's own probabilities
    maps: np.ndarray | None = None  # and its attention on the first images, where the files are to give it


def export_model(
    model,
    label_names,
    images,
    labels,
    folder,
    *,
    variants=DEFAULT,
    max_drop=0.5,
    calibration_images=None,
    attention=False,
    report=None,
    progress=None,
):
    """Writes a model's variants, and keeps those that do on held-out images what the model does.

    Rows of variants that are not asked for stay in `export.json` when they come from the same weights and
    labels; otherwise their files are removed, so that all files of a folder belong to one model.

    Args:
        model: trained `keras.Model` that gives logits.
        label_names: sequence of str, one per class.
        images: uint8 `(n, height, width, channels)`, not used in training.
        labels: int `(n,)`.
        folder: str or Path. Gets the files, `labels.txt` and `export.json`.
        variants: which of `savedmodel`, `fp32`, `fp16`, `dynamic_int8`, `mixed_int8`, `full_int8`, `int16x8`,
            `int4`; or `auto`, which tries those that may be the fastest, keeps the one that is, and draws
            `export.png`.
        max_drop: float, points of accuracy that a variant may lose.
        calibration_images: uint8 `(n, height, width, channels)` of the training data, some hundred; needed by
            `mixed_int8`, `full_int8`, `int16x8` and `auto`.
        attention: bool, the files give the attention rollout too: a SavedModel as the signature `attention`,
            a TFLite file as its second output. On some images it is compared with the model's.
        report: called with the rows when all variants were tried, before any error.
        progress: called with a variant and what is done with it, such as `("fp32", "converting")`.

    Returns:
        A list of dicts, one per variant that was tried, as in `export.json`; sizes in bytes, latency in
        milliseconds for one image on `threads` threads: of a TFLite file the CPU time, all in turn, of a
        SavedModel the time by the clock. With `auto`, `kept` tells which file stands.

    Raises:
        InputError: unknown variant, labels or images that do not fit the model, no or too few calibration
            images, or a folder that cannot be written.
        ConditionError: some variant failed (with `auto`: all did); it has left no file, the others stand.
    """
    check_variants(variants)
    shipped = inference_model(model)
    check_held_out(shipped, label_names, images, labels)
    check_calibration(shipped, variants, calibration_images)
    folder = Path(folder)
    maps = attention_maps(shipped, images[:MAP_IMAGES]) if attention else None
    held_out = _HeldOut(images, labels, _reference(shipped, images), maps)
    form = mobile_form(shipped, attention=attention)
    mark = fingerprint(shipped, label_names)
    write_text(folder / "labels.txt", "".join(f"{name}\n" for name in label_names))
    named, auto = [v for v in variants if v != AUTO], AUTO in variants
    kept = take_earlier_rows(folder, named + [*CANDIDATES] * auto, mark)
    with Quantization(form, calibration_images, folder) as quantization:
        attempt = _Attempt(shipped, form, label_names, held_out, max_drop, quantization, progress)
        rows = [attempt(variant, folder) for variant in named]
        attempt.time_in_turn(rows)
        chosen = choose(attempt, quantization, folder, named) if auto else []
    rows += chosen
    write_record(folder, kept + rows, mark)
    if chosen:
        write_plot(rows, max_drop, folder / PLOT)
    if report:
        report(rows)
    check_passed(rows, chosen, folder)
    return rows


def check_passed(rows, chosen, folder):
    """Raises ConditionError when a variant failed, or of `chosen`, those that `auto` tried, all did."""
    needed = [row for row in rows if row not in chosen]
    failed = [row for row in needed if not row["passed"]]
    if chosen and not any(row["passed"] for row in chosen):
        failed += chosen
    if failed:
        reasons = "; ".join(f"{row['variant']} ({row['failure']})" for row in failed)
        raise ConditionError(f"Not exported: {reasons}. See {folder / NAME}.")


def _reference(model, images):
    with _full_float32():
        reference = model.predict(images, batch_size=64, verbose=0)
    weights = model.get_weights()
    if not np.isfinite(reference).all() or not all(np.isfinite(weight).all() for weight in weights):
        raise InputError(
            "The model's weights or answers are NaN or infinite: it is not worth exporting. Train anew."
        )
    return reference


@contextlib.contextmanager
def _full_float32():
    """Keeps a GPU from rounding float32 to TF32, whose 10 bits differ from a phone by up to 1e-3."""
    allowed = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.experimental.enable_tensor_float_32_execution(False)
    try:
        yield
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(allowed)


class _Attempt:
    """Writes one variant after the other, verifies each, and times them in turn."""

    def __init__(self, model, form, label_names, held_out, max_drop, quantization, progress):
        self.model = model
        self.form = form
        self.label_names = label_names
        self.held_out = held_out
        self.max_drop = max_drop
        self.quantization = quantization
        self.progress = progress
        self.predictors = {}  # by the id of the row they belong to: a variant may be tried again

    def __call__(self, variant, folder, float_operators=()):
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
            with atomic_path(final) as temporary:
                self._say(variant, "converting")
                predictor = self._write(variant, temporary, float_operators)
                self._say(variant, f"verifying on {len(self.held_out.images):,} images")
                row.update(_measure(variant, predictor, self.held_out), size=size_bytes(temporary))
                self.predictors[id(row)] = predictor
                _judge(row, variant, self.max_drop)
            row["passed"] = True
        except ConditionError as error:
            row["failure"] = str(error)
            remove(final)
        return row

    def time_in_turn(self, rows):
        """Writes the latencies of TFLite files into their rows."""
        timed = [row for row in rows if "accuracy" in row and row["variant"] != "savedmodel"]
        predictors = [self.predictors[id(row)] for row in timed]
        for row, latency in zip(timed, latencies_ms(predictors, self.held_out.images[0]), strict=True):
            row["latency_ms"] = latency

    def _say(self, variant, step):
        if self.progress:
            self.progress(variant, step)

    def _write(self, variant, path, float_operators):
        if variant == "savedmodel":
            write_saved_model(self.model, self.label_names, path, self.held_out.maps is not None)
        elif variant in RULES and (float_operators or variant != "dynamic_int8"):
            self.quantization.write(variant, path, float_operators)
        else:
            write_tflite(self.form, variant, path)
        try:
            return saved_model_predictor(path) if variant == "savedmodel" else tflite_predictor(path)
        except InputError as error:  # bad input for others, but here it is our own work that failed
            raise ConditionError(str(error)) from error


def _measure(variant, predictor, held_out):
    with _full_float32():
        answers = predictor.probabilities(held_out.images)
    verification = compare(held_out.reference, answers, held_out.labels)
    measured = {
        **dataclasses.asdict(verification),
        "drop": verification.drop,
        "threads": num_threads(variant),
    }
    if held_out.maps is not None:
        maps = predictor.attention_maps(held_out.images[: len(held_out.maps)])
        measured["max_attention_difference"] = float(np.abs(maps - held_out.maps).max() / held_out.maps.max())
    if variant == "savedmodel":
        measured["latency_ms"] = latency_ms(predictor, held_out.images[0])
    return measured


def _judge(row, variant, max_drop):
    if row["drop"] > max_drop:
        raise ConditionError(
            f"lost {row['drop']:.2f} points of accuracy, allowed are {max_drop:g}: allow more, give more "
            "calibration images, or let auto find the layers to leave in float"
        )
    for what, words in (("max_probability_difference", "probability"), ("max_attention_difference", "map")):
        if variant in ("savedmodel", "fp32") and row.get(what, 0) > FLOAT32_TOLERANCE:
            raise ConditionError(
                f"differs from the model by {row[what]:.1e} in a {words}, float32 arithmetic allows "
                f"{FLOAT32_TOLERANCE:.0e}"
            )
