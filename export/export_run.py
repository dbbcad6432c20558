"""Exports a model in several variants, each verified and measured before it gets its name."""

import contextlib
import dataclasses
from pathlib import Path

import numpy as np
import tensorflow as tf

from export.checks import check_held_out, check_variants
from export.inference_model import inference_model
from export.measurement import latency_ms, num_threads, size_bytes
from export.predictor import saved_model_predictor, tflite_predictor
from export.record import FILES, NAME, fingerprint, remove, take_earlier_rows, write_record
from export.saved_model import write_saved_model
from export.tflite import write_tflite
from export.verify import compare
from keras_vit.errors import ConditionError, InputError
from keras_vit.files import atomic_path, write_text

# The same float32 arithmetic in another order: a probability moves by some roundings of 6e-8 in each of
# some hundred sums. 1e-4 is far above what was seen (1e-6) and far below what any mistake would give.
FLOAT32_TOLERANCE = 1e-4


@dataclasses.dataclass(frozen=True)
class _HeldOut:
    images: np.ndarray
    labels: np.ndarray
    reference: np.ndarray  # the Keras model's own probabilities


def export_model(
    model,
    label_names,
    images,
    labels,
    folder,
    *,
    variants=tuple(FILES),
    max_drop=0.5,
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
        variants: which of `savedmodel`, `fp32`, `fp16`, `dynamic_int8`.
        max_drop: float, points of accuracy that a variant may lose.
        report: called with the rows when all variants were tried, before any error.
        progress: called with a variant and what is done with it, such as `("fp32", "converting")`.

    Returns:
        A list of dicts, one per variant, as in `export.json`; sizes in bytes, latency in milliseconds for
        one image on `threads` threads.

    Raises:
        InputError: unknown variant, labels that do not fit the model, or a folder that cannot be written.
        ConditionError: some variant failed; it has left no file, the others stand.
    """
    check_variants(variants)
    shipped = inference_model(model)
    check_held_out(shipped, label_names, images, labels)
    folder = Path(folder)
    held_out = _HeldOut(images, labels, _reference(shipped, images))
    mark = fingerprint(shipped, label_names)
    write_text(folder / "labels.txt", "".join(f"{name}\n" for name in label_names))
    kept = take_earlier_rows(folder, variants, mark)
    rows = []
    for variant in variants:
        say = _saying(progress, variant)
        rows.append(_export_one(variant, shipped, label_names, held_out, folder, max_drop, say))
    write_record(folder, kept + rows, mark)
    if report:
        report(rows)
    failed = [f"{row['variant']} ({row['failure']})" for row in rows if not row["passed"]]
    if failed:
        raise ConditionError(f"Not exported: {'; '.join(failed)}. See {folder / NAME}.")
    return rows


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


def _saying(progress, variant):
    return (lambda step: progress(variant, step)) if progress else (lambda step: None)


def _export_one(variant, model, label_names, held_out, folder, max_drop, say):
    final = folder / FILES[variant]
    row = {"variant": variant, "file": FILES[variant], "passed": False, "failure": None, "max_drop": max_drop}
    try:
        with atomic_path(final) as temporary:
            say("converting")
            predictor = _write(variant, model, label_names, temporary)
            say(f"verifying on {len(held_out.images):,} images")
            row.update(_measure(variant, predictor, held_out), size=size_bytes(temporary))
            _judge(row, variant, max_drop)
        row["passed"] = True
    except ConditionError as error:
        row["failure"] = str(error)
        remove(final)
    return row


def _write(variant, model, label_names, path):
    if variant == "savedmodel":
        write_saved_model(model, label_names, path)
    else:
        write_tflite(model, variant, path)
    try:
        return saved_model_predictor(path) if variant == "savedmodel" else tflite_predictor(path)
    except InputError as error:  # bad input for others, but here it is our own work that failed
        raise ConditionError(str(error)) from error


def _measure(variant, predictor, held_out):
    with _full_float32():
        answers = predictor.probabilities(held_out.images)
    verification = compare(held_out.reference, answers, held_out.labels)
    return {
        **dataclasses.asdict(verification),
        "drop": verification.drop,
        "latency_ms": latency_ms(predictor, held_out.images[0]),
        "threads": num_threads(variant),
    }


def _judge(row, variant, max_drop):
    if row["drop"] > max_drop:
        raise ConditionError(f"lost {row['drop']:.2f} points of accuracy, allowed are {max_drop:g}")
    if variant in ("savedmodel", "fp32") and row["max_probability_difference"] > FLOAT32_TOLERANCE:
        raise ConditionError(
            f"differs from the model by {row['max_probability_difference']:.1e} in a probability, float32 "
            f"arithmetic allows {FLOAT32_TOLERANCE:.0e}"
        )
