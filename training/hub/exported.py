"""What an export left in a run folder."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from keras_vit.errors import InputError
from keras_vit.io.json_files import read_json
from keras_vit.io.output_meaning import read_output_meaning
from keras_vit.training.run_folder import RunFolder

RECORD = "export.json"
NEAR = 0.01  # differences of thresholds from one evaluation of a model to the next, and by int8 outputs


def exported_files(folder: RunFolder) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Returns the rows of a run's verified TFLite files, the fastest first, and what they take and return.

    Raises:
        InputError: nothing was exported, no TFLite file passed, a file is not the one that was verified, or
            the run answers by other thresholds since.
    """
    export = f"keras-vit export {folder.path}"
    record = folder.export / RECORD
    if not record.is_file():
        raise InputError(f"{folder.path} was not exported: there is no file for phones. Run: {export}")
    if record.stat().st_mtime_ns < folder.model.stat().st_mtime_ns:
        raise InputError(f"{folder.export} is older than {folder.model}. Export again: {export}")
    document = read_json(record, dict)
    try:
        rows = [row for row in document["variants"] if row["file"].endswith(".tflite") and row["passed"]]
        rows = [row for row in rows if row.get("kept") is not False]
        for row in rows:
            _check(folder.export / row["file"], row["sha256"], export)
        rows.sort(key=lambda row: row["latency_ms"])
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{record} is damaged. Export again: {export}") from error
    if not rows:
        raise InputError(f"{folder.export} has no TFLite file that passed. Run: {export}")
    model = document.get("model") or {}
    if not _decides_as(model, read_output_meaning(folder.path)):
        raise InputError(
            f"{folder.export} was written before the last evaluation of {folder.path}, which found other "
            f"thresholds. Export again: {export}"
        )
    return rows, model


def _decides_as(model, meaning):
    """Whether files answer by the thresholds of a run."""
    outputs = model.get("outputs") or [{}]
    for name in ("thresholds", "none_below"):
        wanted, recorded = getattr(meaning, name), outputs[0].get(name)
        if (wanted is None) != (recorded is None):
            return False
        if wanted is not None and not np.allclose(wanted, recorded, atol=NEAR):
            return False
    return True


def _check(path: Path, sha256, export):
    if not path.is_file():
        raise InputError(f"{path} is missing, which {RECORD} lists. Export again: {export}")
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
            raise InputError(f"{path} is not the file that was verified. Export again: {export}")
