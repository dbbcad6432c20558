"""Loads a classifier of images in any form."""

import dataclasses
from pathlib import Path

from scipy.special import softmax

from keras_vit.errors import InputError, first_line
from keras_vit.export.prediction.predictor import LOGITS, PROBABILITIES, Predictor
from keras_vit.export.variants import SAVED_MODEL_MARK, is_exported
from keras_vit.export.verification.record import NAME, sha256
from keras_vit.io.json_files import read_json

SUM_TOLERANCE = 0.02  # float16 and int8 round each of many classes


def load_predictor(path: str | Path, *, outputs: str | None = None, num_threads: int = 1) -> Predictor:
    """Loads a model in any form, as a function from arrays to arrays.

    Outputs are those of the model. Softmax is applied to logits alone: those of a run folder, and those that
    `outputs` declares.

    Args:
        path: str or Path of a run folder, a `.keras` file, a SavedModel folder or a `.tflite` file.
        outputs: `"logits"`, `"probabilities"`, or None: what the model's one output is. With None a run gives
            logits, and an exported file what its export declared. Of another `.keras` file from one image to
            a row, the answers to some images decide: all in [0, 1] are probabilities, others logits, and a
            warning reports which was taken.
        num_threads: int, for `.tflite`. Default: 1.

    Returns:
        Predictor, with `outputs(inputs)`, by name, and `description` of inputs and outputs; of a classifier
        also `probabilities(inputs)`, `label_names` and `num_classes`, and of one of images `image_shape` and
        `attention_maps(images)`. An exported file is known as a classifier by `task="classification"` of
        `export_model`; of one that was exported without, `outputs` here says what its one output is.

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
    if not path.exists():
        raise InputError(f"Expected a model at {path}, found nothing.")
    predictor = _load(path, num_threads) if is_exported(path) else _load_keras(path, outputs)
    if is_exported(path) and outputs is not None:
        return _declared(predictor, outputs, path)
    return _with_probabilities(predictor, path, outputs)


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


def _load_keras(path, outputs):
    if path.suffix != ".keras" and not (path / "model.keras").is_file():
        raise InputError(
            "Expected a run folder (with model.keras), a .keras file, a SavedModel folder (with "
            f"{SAVED_MODEL_MARK}) or a .tflite file, received {path}."
        )
    from keras_vit.export.prediction.keras_model import load_keras_predictor

    return load_keras_predictor(path / "model.keras" if path.is_dir() else path, outputs)


def _load(path, num_threads):
    if (path / SAVED_MODEL_MARK).is_file():
        from keras_vit.export.prediction.saved_model import saved_model_predictor

        return saved_model_predictor(path)
    if path.is_dir():
        raise InputError(f"Expected a .tflite file at {path}, found a folder.")
    from keras_vit.export.prediction.tflite import tflite_predictor

    check_recorded(path)
    return tflite_predictor(path, num_threads)


def _declared(predictor, outputs, path):
    """A file's predictor whose one output is declared to be logits or probabilities."""
    found = predictor.description.outputs
    if len(found) != 1:
        raise InputError(f"Expected a model of one output for outputs={outputs!r}, {path} has {len(found)}.")
    name = found[0].name
    if outputs == PROBABILITIES:
        return _with_probabilities(dataclasses.replace(predictor, classes=name), path, outputs)

    def run(arrays):
        return {name: softmax(predictor.run(arrays)[name], axis=-1)}

    return dataclasses.replace(predictor, run=run, classes=name)


def _with_probabilities(predictor, path, declared):
    """The predictor, whose answer for one item shows whether its classes have probabilities.

    Without the activation of an export they may be logits, which are outputs only.
    """
    if predictor.classes is None or any(None in t.shape for t in predictor.description.inputs):
        return predictor
    (output,) = [o for o in predictor.description.outputs if o.name == predictor.classes]
    try:
        answer = predictor.run(predictor.description.example())[output.name]
    except Exception as error:  # the code of a graph that may come from anywhere
        raise InputError(f"{path} cannot be run: {first_line(error)}") from error
    wrong = not (answer >= 0).all() or answer.max() > 1 + SUM_TOLERANCE
    sums = output.activation != "softmax" or abs(answer.sum() - 1) <= SUM_TOLERANCE
    if not sums or wrong and (output.activation or declared):
        raise InputError(f"{path} is damaged or not a classifier: its outputs are not probabilities.")
    return dataclasses.replace(predictor, classes=None) if wrong else predictor
