"""TFLite files as predictors."""

import functools
from pathlib import Path

import numpy as np

from keras_vit.errors import ConditionError, InputError
from keras_vit.export.images.app_input import run_images
from keras_vit.export.metadata.attach import LABELS, was_trained_on_grey
from keras_vit.export.prediction.keras_model import read_labels
from keras_vit.export.prediction.predictor import Predictor
from keras_vit.export.tflite.archive import attached_file
from keras_vit.export.workers.runner import run_worker
from keras_vit.io.files import what_lies_at
from keras_vit.io.label_names import parse_label_names

CHECK_TIME_LIMIT = 300  # seconds
TFLITE_MARK = b"TFL3"  # bytes 4 to 8 of a TFLite file


def tflite_predictor(path, num_threads=1, check=True):
    """Wraps a TFLite file from images to probabilities; one just written here needs no check."""
    from ai_edge_litert.interpreter import Interpreter

    if check:
        check_tflite(path)
    interpreter = Interpreter(str(path), num_threads=num_threads)
    interpreter.allocate_tensors()
    (inside,) = interpreter.get_input_details()
    outputs = sorted(interpreter.get_output_details(), key=lambda tensor: len(tensor["shape"]))
    batch, *shape = map(int, inside["shape"])

    def several(output, images):
        run_images(interpreter, inside, images)
        return interpreter.get_tensor(output["index"])[: len(images)]

    def answers(output, images):
        return np.concatenate([several(output, images[i : i + batch]) for i in range(0, len(images), batch)])

    # Probabilities have two axes, a map of attention has three.
    run, *attend = (functools.partial(answers, output) for output in outputs)
    labels = read_labels(Path(path).parent / "labels.txt") or _attached_names(path)
    grey = was_trained_on_grey(path)
    return Predictor(tuple(shape), labels, int(outputs[0]["shape"][1]), run, *attend, grey=grey)


def check_tflite(path, kind="images"):
    """Runs a TFLite file once in a separate process: a damaged one can crash the interpreter.

    Raises InputError if it is not a model of this kind (`"images"` or `"text"`) or needs foreign operators.
    """
    check_is_tflite(path)
    try:
        run_worker("check", file=path, kind=kind, time_limit=CHECK_TIME_LIMIT)
    except ConditionError as error:
        words = {"images": "classifier of images", "text": "text model"}[kind]
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
