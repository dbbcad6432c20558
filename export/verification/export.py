"""Exports a model in several variants, each verified and measured before its file gets its name."""

from pathlib import Path
from tempfile import TemporaryDirectory

import keras
import numpy as np

from keras_vit.errors import ConditionError, InputError, counted
from keras_vit.export.app import NAME as GUIDE
from keras_vit.export.variants import AUTO, CANDIDATES, FILES, SAVED_MODEL_MARK, VARIANTS
from keras_vit.export.verification.attempt import Attempt
from keras_vit.export.verification.choose import choose
from keras_vit.export.verification.model_export import ModelExport
from keras_vit.export.verification.record import NAME, put_in_place, rows_to_keep, write_record
from keras_vit.io.files import check_replaceable, disk_errors_as_input_errors
from keras_vit.io.locking import created_folder


def export_variants(
    export: ModelExport, folder: Path, variants, max_drop, report=None, progress=None, latencies=None
):
    """Writes variants of a model, keeps those that pass, and returns a row per variant that was tried.

    Arguments and errors are those of `keras_vit.export.export_model`. Rows of other variants stay in
    `export.json` with their settings when they have the same fingerprint; otherwise their files are removed,
    so that all files of a folder belong to one model. With `latencies`, `PhoneLatencies`, `auto` ranks by
    them. The folder changes when all variants were tried: an export that is interrupted, or finds no space,
    leaves what was there.
    """
    named = [variant for variant in dict.fromkeys(variants) if variant != AUTO]
    candidates = [v for v in CANDIDATES if AUTO in variants and v in export.variants and v not in named]
    for variant in named + candidates:
        check_replaceable(folder / FILES[variant], SAVED_MODEL_MARK)
    kept = rows_to_keep(folder, named + candidates, export.fingerprint)
    with (
        created_folder(folder),
        disk_errors_as_input_errors(folder),
        TemporaryDirectory(prefix=".export-", dir=folder) as place,
    ):
        place = Path(place)
        for name, content in export.texts().items():
            (place / name).write_bytes(content)
        attempt = Attempt(export, max_drop, progress)
        rows = [attempt(variant, place) for variant in named]
        attempt.time(rows)
        attempt.latencies = latencies
        chosen = choose(attempt, candidates, place, rows) if AUTO in variants else []
        rows += chosen
        _write_guide(export, kept + rows, place, folder)
        write_record(place, kept + rows, export.fingerprint, export.facts())
        put_in_place(place, folder, kept)
    if report:
        report(rows)
    check_passed(rows, chosen, folder)
    return rows


def _write_guide(export, rows, *folders):
    """Writes `app.md` into the first of the folders that the rows' files are in."""
    files = []
    for row in rows:
        found = [folder / row["file"] for folder in folders if (folder / row["file"]).is_file()]
        if row["passed"] and found:
            files.append((row, found[0]))
    guide = export.guide(files)
    if guide is not None:
        (folders[0] / GUIDE).write_text(guide, encoding="utf-8")


def check_passed(rows, chosen, folder):
    """Raises ConditionError when a variant failed, or when `auto` keeps none of `chosen`."""
    needed = [row for row in rows if row not in chosen]
    failed = [row for row in needed if not row["passed"]]
    if chosen and not any(row.get("kept") for row in rows):
        failed += chosen
    if failed:
        reasons = "; ".join(f"{row['variant']} ({row['failure']})" for row in failed)
        raise ConditionError(f"Not exported: {reasons}. See {folder / NAME}.")


def check_backend():
    """Raises InputError when Keras runs on another backend than TensorFlow: this process cannot export."""
    if keras.backend.backend() != "tensorflow":
        raise InputError(
            f"Expected KERAS_BACKEND=tensorflow, which writes files for a phone, received "
            f"{keras.backend.backend()!r}. A model.keras that was trained elsewhere loads there."
        )


def check_variants(variants, export):
    """Raises InputError for a variant that there is not, or that this kind of `ModelExport` does not have."""
    if not variants:
        raise InputError(f"Expected variants, {AUTO} or some of {', '.join(export.variants)}; received none.")
    for variant in variants:
        if variant not in (*export.variants, AUTO):
            other_kind = f"Variant {variant!r} is not for {export.kind}"
            wrong = other_kind if variant in VARIANTS else f"Unknown variant {variant!r}"
            raise InputError(f"{wrong}. Expected {AUTO} or one of {', '.join(export.variants)}.")


def check_finite(model, *outputs):
    """Raises InputError when a model's weights or outputs are NaN or infinite."""
    for weight in model.weights:
        if not np.isfinite(keras.ops.convert_to_numpy(weight)).all():
            raise InputError(f"The weight {weight.path} is NaN or infinite. Train the model again.")
    for array in outputs:
        finite = np.isfinite(array).reshape(len(array), -1).all(axis=1)
        if not finite.all():
            raise InputError(
                f"The model's outputs are NaN or infinite for {(~finite).sum():,} of "
                f"{counted(len(finite), 'item')}, the first of them item {finite.argmin()}. Check these "
                "inputs, or train the model again."
            )
