"""Reads the teacher of a recipe: a run, a file, a model of the user's own, or public weights."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from keras_vit import pretrained
from keras_vit.errors import InputError
from keras_vit.importing import is_name, user_code
from keras_vit.io.label_names import read_label_names
from keras_vit.io.model_archive import load_model
from keras_vit.keras_internals import is_graph
from keras_vit.pretrained.run_source import run_model_file
from keras_vit.training.checkpoint.stateful_callbacks import SameData
from keras_vit.training.own_parts import own_function


@dataclasses.dataclass(frozen=True, eq=False)
class Teacher:
    """A teacher, and what was taken of it that nobody stated."""

    model: keras.Model  # returns logits where its outputs are classes
    notes: list[str]


def load_teacher(source: str, image_size: tuple[int, int], label_names: Sequence[str], example: np.ndarray):
    """Returns the `Teacher` of a recipe.

    Args:
        source: str, a run folder, a `.keras` file, `module:name` of a model or of a function that returns
            one, or what `keras_vit.pretrained.load` accepts, which is loaded for the image size.
        image_size: `(height, width)` in pixels.
        label_names: of the student's outputs.
        example: images `(n, height, width, channels)`, by which probabilities are distinguished from logits.

    Raises:
        InputError: there is no model, or it is that of a run with other classes.
    """
    model, notes = _load(source, image_size), []
    names = _names(source)
    if names is not None and names != tuple(label_names) and len(names) == len(label_names):
        raise InputError(
            f"The teacher {source} has the classes {', '.join(names[:5])} ..., and the data "
            f"{', '.join(label_names[:5])} ...: their outputs do not mean the same. Take another teacher."
        )
    answers = _answers(model, example)
    if answers is not None and answers.shape[1:] == (len(label_names),):
        if names is None:
            notes.append("the teacher's outputs are taken to be the data's classes, in this order")
        if _are_probabilities(answers):
            notes.append("the teacher's outputs are probabilities: their logarithms are its logits")
            model = _of_logits(model, example.shape[1:])
    model.trainable = False
    return Teacher(model, notes)


def _load(source, image_size):
    file = run_model_file(source)
    if file is not None:
        return load_model(file)
    if is_name(source):
        found = own_function(source, "the teacher")
        if isinstance(found, keras.Model):
            return found
        with user_code(f"The teacher {source} cannot be made: "):
            model = found()
        if not isinstance(model, keras.Model):
            raise InputError(f"Expected {source} to return a keras.Model, received {type(model).__name__}.")
        return model
    return pretrained.load(source, image_size=image_size)


def _names(source):
    file = run_model_file(source)
    labels = None if file is None else Path(file).parent / "labels.txt"
    return read_label_names(labels) if labels is not None and labels.is_file() else None


def _answers(model, example):
    """Returns the outputs for images as float64; None where it takes others or has several outputs."""
    if is_graph(model) and model.inputs[0].shape[1:] != example.shape[1:]:
        return None
    with user_code("The teacher cannot be called on the data's images: "):
        outputs = keras.tree.flatten(model(example, training=False))
    return np.asarray(keras.ops.convert_to_numpy(outputs[0]), "float64") if len(outputs) == 1 else None


def _are_probabilities(answers):
    sums_to_one = np.allclose(answers.sum(axis=-1), 1, atol=1e-2)
    return bool(answers.shape[-1] > 1 and (answers >= 0).all() and sums_to_one)


def _of_logits(model, image_shape):
    images, least = keras.Input(image_shape, name="images"), float(np.finfo("float32").tiny)
    (answers,) = keras.tree.flatten(model(images))
    logits = keras.ops.log(keras.ops.maximum(keras.ops.cast(answers, "float32"), least))
    return keras.Model(images, logits, name=model.name)


class SameTeacher(SameData):
    """Refuses to resume with a teacher whose weights differ from those that the run started with."""

    what = "weights of the teacher"

    def __init__(self, teacher: keras.Model):
        super().__init__(np.atleast_1d(keras.ops.convert_to_numpy(weight)) for weight in teacher.weights)
