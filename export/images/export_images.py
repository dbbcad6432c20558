"""Exports a model in several variants, each verified and measured before it gets its name."""

from pathlib import Path

import numpy as np

from keras_vit.errors import ConditionError, InputError
from keras_vit.export.images.checks import check_calibration, check_held_out, check_input, check_variants
from keras_vit.export.images.inference_model import inference_model
from keras_vit.export.images.plot import PLOT, write_plot
from keras_vit.export.metadata.card import Card
from keras_vit.export.mobile import mobile_form
from keras_vit.export.tflite.writer import TfliteWriter
from keras_vit.export.variants import AUTO, CANDIDATES, DEFAULT
from keras_vit.export.verification.attempt import Attempt, HeldOut, full_float32
from keras_vit.export.verification.choose import choose
from keras_vit.export.verification.record import NAME, fingerprint, take_earlier_rows, write_record
from keras_vit.io.files import write_text
from keras_vit.models import attention_maps

MAP_IMAGES = 16  # whose attention is compared; a map differs relative to the largest value of all


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
    input_dtype="float32",
    batch_size=1,
    card=None,
    report=None,
    progress=None,
):
    """Writes a model's variants, and keeps those that do on held-out images what the model does.

    Rows of variants that are not asked for stay in `export.json` when they come from the same weights and
    labels, with the settings that they were exported with; otherwise their files are removed, so that all
    files of a folder belong to one model.

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
        input_dtype: `"float32"` or `"uint8"`, what TFLite files take.
        batch_size: int, how many images TFLite files take at once.
        card: `keras_vit.export.metadata.card.Card`, written into TFLite files; None for the model's name.
        report: called with the rows when all variants were tried, before any error.
        progress: called with a variant and what is done with it, such as `("fp32", "converting")`.

    Returns:
        A list of dicts, one per variant that was tried, as in `export.json`; sizes in bytes, latency in
        milliseconds for `batch_size` images on `threads` threads: of a TFLite file the CPU time, all in turn,
        of a SavedModel the time by the clock. With `auto`, `kept` tells which file stands.

    Raises:
        InputError: unknown variant, labels or images that do not fit the model, no or too few calibration
            images, or a folder that cannot be written.
        ConditionError: some variant failed (with `auto`: all did); it has left no file, the others stand.
    """
    check_variants(variants)
    check_input(input_dtype, batch_size)
    shipped = inference_model(model)
    check_held_out(shipped, label_names, images, labels)
    check_calibration(shipped, variants, calibration_images)
    folder = Path(folder)
    maps = attention_maps(shipped, images[:MAP_IMAGES]) if attention else None
    held_out = HeldOut(images, labels, _reference(shipped, images), maps, batch_size)
    form = mobile_form(shipped, batch_size, attention)
    mark = fingerprint(shipped, label_names)
    write_text(folder / "labels.txt", "".join(f"{name}\n" for name in label_names))
    named, auto = [v for v in variants if v != AUTO], AUTO in variants
    kept = take_earlier_rows(folder, named + [*CANDIDATES] * auto, mark)
    card = card or Card(shipped.name)
    with TfliteWriter(form, calibration_images, folder, input_dtype) as quantization:
        attempt = Attempt(shipped, label_names, card, held_out, max_drop, quantization, progress)
        rows = [attempt(variant, folder) for variant in named]
        attempt.time_in_turn(rows)
        chosen = choose(attempt, quantization, folder, rows) if auto else []
    rows += chosen
    write_record(folder, kept + rows, mark)
    if chosen:
        write_plot(rows, max_drop, folder / PLOT)
    if report:
        report(rows)
    check_passed(rows, chosen, folder)
    return rows


def check_passed(rows, chosen, folder):
    """Raises ConditionError when a variant failed, or `auto`, which tried those of `chosen`, keeps none."""
    needed = [row for row in rows if row not in chosen]
    failed = [row for row in needed if not row["passed"]]
    if chosen and not any(row.get("kept") for row in rows):
        failed += chosen
    if failed:
        reasons = "; ".join(f"{row['variant']} ({row['failure']})" for row in failed)
        raise ConditionError(f"Not exported: {reasons}. See {folder / NAME}.")


def _reference(model, images):
    with full_float32():
        reference = model.predict(images, batch_size=64, verbose=0)
    weights = model.get_weights()
    if not np.isfinite(reference).all() or not all(np.isfinite(weight).all() for weight in weights):
        raise InputError(
            "The model's weights or answers are NaN or infinite: it is not worth exporting. Train anew."
        )
    return reference
