"""TFLite files as predictors."""

from pathlib import Path

import numpy as np

from keras_vit.errors import ConditionError, InputError
from keras_vit.export.metadata.attach import LABELS
from keras_vit.export.model.description import (
    Description,
    InputDescription,
    OutputDescription,
    read_description,
)
from keras_vit.export.prediction.predictor import Predictor
from keras_vit.export.tflite.archive import attached_file
from keras_vit.export.workers.runner import run_worker
from keras_vit.io.files import what_lies_at
from keras_vit.io.label_names import names_next_to, parse_label_names

ATTENTION = "attention"
CHECK_TIME_LIMIT = 300  # seconds
SUM_TOLERANCE = 0.02  # float16 and int8 round each of many classes
_KINDS = {"any": "model of one signature", "text": "text model", "pairs": "model of pairs of texts"}
TFLITE_MARK = b"TFL3"  # bytes 4 to 8 of a TFLite file


def tflite_predictor(path, num_threads=1, check=True):
    """Wraps a TFLite file; one just written here needs no check."""
    from keras_vit.export.tflite.named import NamedInterpreter

    path = Path(path)
    if check:
        check_is_tflite(path)
    description = read_description(path)
    if check:
        check_tflite(path, values={t.name: t.high or 0 for t in description.inputs} if description else None)
    opened = NamedInterpreter(path, num_threads)
    description = description or _seen(opened, path)

    def run(arrays):
        found = opened.run(arrays)
        return {output.name: found[output.name] for output in description.outputs}

    def attend(arrays):
        return opened.run(arrays)[ATTENTION]

    found = description.classified
    with_attention = ATTENTION in opened.outputs and len(opened.outputs) > len(description.outputs)
    return Predictor(description, run, attend if with_attention else None, found and found.name)


def _seen(opened, path):
    """The description of a file that has none of its own.

    One row for an image, not below 0 and with a sum of 1 for zeros, is taken for the classes' probabilities.
    """
    inputs = tuple(
        InputDescription(name, _shape(t), np.dtype(t["dtype"]).name) for name, t in opened.inputs.items()
    )
    outputs = {name: _shape(tensor) for name, tensor in opened.outputs.items()}
    rows = [name for name, shape in outputs.items() if len(shape) == 1]
    is_classifier = len(inputs) == len(rows) == 1 and len(inputs[0].shape) == 3 and len(outputs) <= 2
    if is_classifier and _sums_to_one(opened, inputs[0], rows[0]):
        outputs = {rows[0]: outputs[rows[0]]}
    else:
        rows = []
    tasks = dict.fromkeys(rows, "classification")
    found = tuple(
        OutputDescription(name, shape, np.dtype(opened.outputs[name]["dtype"]).name, tasks.get(name))
        for name, shape in outputs.items()
    )
    names = names_next_to(path) or _attached_names(path)
    return Description(inputs, found, names).with_scales(opened.scales())


def _sums_to_one(opened, image, row):
    values = opened.run({image.name: np.zeros((1, *image.shape), image.dtype)})[row]
    return (values >= 0).all() and abs(values.sum() - 1) <= SUM_TOLERANCE


def _shape(tensor):
    return tuple(map(int, tensor["shape"]))[1:]


def check_tflite(path, kind="any", values=None):
    """Runs a TFLite file once in a separate process: a damaged one can crash the interpreter.

    `values` are those of its inputs by name; by default all are 0.
    Raises InputError if it is not a model of this kind (`"any"`, `"text"` or `"pairs"`) or needs foreign
    operators.
    """
    check_is_tflite(path)
    try:
        run_worker("check", file=path, kind=kind, values=values, time_limit=CHECK_TIME_LIMIT)
    except ConditionError as error:
        words = _KINDS[kind]
        raise InputError(f"{path} is damaged or not a {words}: {error}.") from error


def check_is_tflite(path):
    """Raises InputError unless a file is there and starts as a TFLite file does."""
    try:
        if not Path(path).is_file():
            raise InputError(f"Expected a .tflite file at {path}, found {what_lies_at(Path(path))}.")
        with open(path, "rb") as file:
            mark = file.read(8)[4:]
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
    if mark != TFLITE_MARK:
        raise InputError(f"{path} is not a TFLite file: it is empty, truncated or of another format.")


def _attached_names(path):
    content = attached_file(path, LABELS)
    return None if content is None else parse_label_names(content, f"the labels in {path}")
