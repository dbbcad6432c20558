"""`export.json`: what was exported, from which weights, with which versions, and how it was verified."""

import hashlib
import platform
import shutil
from importlib.metadata import version

import numpy as np

from keras_vit.errors import InputError, Notice, listed, warn
from keras_vit.export.variants import FILES
from keras_vit.io.files import flush, replace, sync_folder
from keras_vit.io.json_files import read_json, write_json

NAME = "export.json"


def fingerprint(model, texts):
    """Returns a hash of a model's weights and of texts: two exports with the same one belong together."""
    digest = hashlib.sha256("\n".join(texts).encode())
    for weight in model.get_weights():
        digest.update(str(weight.shape).encode() + weight.tobytes())
    return digest.hexdigest()


def check_same_model(folder, mark):
    """Raises InputError when a folder records an export of another model, by its fingerprint."""
    if not (folder / NAME).exists():
        return
    try:
        same = read_json(folder / NAME)["model_sha256"] == mark
    except (KeyError, TypeError) as error:
        raise InputError(f"{folder / NAME} is not a record of an export. Choose another folder.") from error
    if not same:
        raise InputError(
            f"{folder} holds files of another model, or of this one with other weights, labels or outputs. "
            "Choose another folder (--out), or add --replace."
        )


def rows_to_keep(folder, variants, mark):
    """Returns the rows of an earlier export with the same fingerprint, of other variants than these."""
    rows = _rows_of(folder, mark)
    return [row for row in rows if row["variant"] not in variants and (folder / row["file"]).exists()]


def kept_by_auto(folder, model, max_drop):
    """Returns the row of the file that `auto` kept, or None where it has to be exported.

    That is where the folder was not exported since the model's file was written, with another `max_drop`, or
    where the file is not the recorded one.
    """
    try:
        if (folder / NAME).stat().st_mtime_ns < model.stat().st_mtime_ns:
            return None
        rows = read_json(folder / NAME)["variants"]
        kept = [row for row in rows if row.get("kept") and row["passed"] and row["max_drop"] == max_drop]
        return next((row for row in kept if sha256(folder / row["file"]) == row["sha256"]), None)
    except (OSError, InputError, KeyError, TypeError):
        return None


def put_in_place(export, folder, kept):
    """Moves an export, which is complete, from a folder inside the folder for files, its record last.

    Other files with the name of a variant are removed, unless they have one of the rows `kept`: it is not
    known what they are, and a notice says so. The earlier record is removed first, so that none is wrong
    when this is interrupted.
    """
    flush(export)
    (folder / NAME).unlink(missing_ok=True)
    others = [file for file in FILES.values() if file not in {row["file"] for row in kept}]
    removed = [file for file in others if (folder / file).exists() and not (export / file).exists()]
    for file in removed:
        remove(folder / file)
    for path in sorted(export.iterdir(), key=lambda path: path.name == NAME):
        replace(path, folder / path.name, holder=export)
    sync_folder(folder)
    if removed:
        warn(f"Removed from {folder}: {listed(removed)}, of an earlier export.", Notice)


def write_record(folder, rows, mark, description=None):
    """Writes `export.json` with its rows in the order of `FILES`, and a checksum of each file in the folder.

    `description` is what the files accept and return.
    """
    for row in rows:
        if (folder / row["file"]).is_file():
            row["sha256"] = sha256(folder / row["file"])
    rows = sorted(rows, key=lambda row: list(FILES).index(row["variant"]))
    record = {"versions": _versions(), "model_sha256": mark, "model": description, "variants": rows}
    write_json(folder / NAME, record)


def sha256(path):
    """Returns a file's checksum."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def remove(path):
    """Removes a file or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _rows_of(folder, mark):
    try:
        record = read_json(folder / NAME)
        return [row for row in record["variants"] if row["passed"]] if record["model_sha256"] == mark else []
    except (InputError, KeyError, TypeError):
        return []


def _versions():
    import keras
    import tensorflow as tf

    return {
        "tensorflow": tf.__version__,
        "keras": keras.version(),
        "ai_edge_litert": version("ai-edge-litert"),
        "ai_edge_quantizer": version("ai-edge-quantizer"),
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
