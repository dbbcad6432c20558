"""Loads a classifier of images in any form."""

import dataclasses
from pathlib import Path

import numpy as np
from scipy.special import softmax

from keras_vit.errors import InputError
from keras_vit.export.prediction.predictor import LOGITS, PROBABILITIES, Predictor
from keras_vit.export.variants import SAVED_MODEL_MARK, is_exported
from keras_vit.export.verification.record import NAME, sha256
from keras_vit.io.json_files import read_json

SUM_TOLERANCE = 0.02  # float16 and int8 round each of many classes


def load_predictor(path: str | Path, *, outputs: str | None = None, num_threads: int = 1) -> Predictor:
    """Loads a classifier of images in any form, as a function from images to probabilities.

    Probabilities that a model returns are not changed. Softmax is applied to logits alone: those of a run
    folder, and those that `outputs` declares.

    Args:
        path: str or Path of a run folder, a `.keras` file, a SavedModel folder or a `.tflite` file.
        outputs: `"logits"`, `"probabilities"`, or None. With None a run gives logits and an exported file
            probabilities; of another `.keras` file the answers to some images decide: all in [0, 1] are
            probabilities, others logits, and a warning reports which was taken.
        num_threads: int, for `.tflite`. Default: 1.

    Returns:
        Predictor, with `probabilities(images)`, `attention_maps(images)`, `image_shape`, `label_names` and
        `num_classes`.

    Raises:
        InputError: missing, damaged, or none of these.

    Example:

    >>> import keras, numpy as np, tempfile
    >>> from keras_vit.export import load_predictor
    >>> model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(2)])
    >>> path = tempfile.mkdtemp() + "/model.keras"
    >>> model.save(path)
    >>> load_predictor(path, outputs="logits").probabilities(np.zeros((5, 8, 8, 3), "uint8")).shape
    (5, 2)
    """
    if outputs not in (None, LOGITS, PROBABILITIES):
        raise InputError(f"Expected outputs to be {LOGITS!r} or {PROBABILITIES!r}, received {outputs!r}.")
    path = Path(path)
    predictor = _load(path, outputs, num_threads)
    answer = predictor.probabilities(np.zeros((1, *predictor.image_shape), "uint8"))
    sums_to_one = is_exported(path) and outputs is None
    if not (answer >= 0).all() or abs(answer.sum() - 1) > SUM_TOLERANCE and (sums_to_one or answer.max() > 1):
        raise InputError(f"{path} is damaged or not a classifier: its outputs are not probabilities.")
    return predictor


def check_recorded(path):
    """Raises InputError when a file is not the one that the `export.json` next to it, if any, records."""
    record = path.parent / NAME
    if not record.exists():
        return
    try:
        rows = {row["file"]: row for row in read_json(record)["variants"]}
    except (KeyError, TypeError) as error:
        raise InputError(f"{record} is not a record of an export. Export again.") from error
    row = rows.get(path.name, {})
    size, digest = row.get("size", path.stat().st_size), row.get("sha256")
    if size != path.stat().st_size or digest and digest != sha256(path):
        raise InputError(f"{path} is damaged: it is not the file that {record} verified. Export again.")


def _load(path, outputs, num_threads):
    if not path.exists():
        raise InputError(f"Expected a model at {path}, found nothing.")
    if path.suffix == ".keras" or (path / "model.keras").is_file():
        from keras_vit.export.prediction.keras_model import load_keras_predictor

        return load_keras_predictor(path / "model.keras" if path.is_dir() else path, outputs)
    if (path / SAVED_MODEL_MARK).is_file():
        from keras_vit.export.prediction.saved_model import saved_model_predictor

        return _with_softmax(saved_model_predictor(path), outputs)
    if path.suffix != ".tflite" or path.is_dir():
        raise InputError(
            "Expected a run folder (with model.keras), a .keras file, a SavedModel folder (with "
            f"{SAVED_MODEL_MARK}) or a .tflite file, received {path}."
        )
    from keras_vit.export.prediction.tflite import tflite_predictor

    check_recorded(path)
    return _with_softmax(tflite_predictor(path, num_threads), outputs)


def _with_softmax(predictor, outputs):
    if outputs != LOGITS:
        return predictor
    return dataclasses.replace(predictor, run=lambda images: softmax(predictor.run(images), axis=-1))
