"""Converts a model, whatever it is, and looks at what comes of it."""

import dataclasses
import tempfile
from pathlib import Path

import tensorflow as tf

from keras_vit.errors import ConditionError, InputError
from keras_vit.export.doctor.case import Case
from keras_vit.export.images.inference_model import inference_model
from keras_vit.export.text.form import text_form
from keras_vit.export.text.write import step_function
from keras_vit.export.tflite.convert import convert, write_tflite
from keras_vit.export.tflite.graph import operators, read_graph
from keras_vit.export.workers.runner import run_worker

TIME_LIMIT = 300  # seconds, to open a file


def converted(model, as_is=False):
    """Returns the `Case` of a model.

    Args:
        model: built `keras.Model`.
        as_is: bool. Otherwise a classifier of images is brought into the form that `keras-vit export` writes,
            and a character model into its `step`.
    """
    exported = None if as_is else _exported(model)
    case = Case(model, as_exported=exported is not None)
    form, write = exported or (model, _write_as_is)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        try:
            write(form, path)
        except ConditionError as error:
            case = dataclasses.replace(case, refusal=str(error))
            try:
                write(form, path, ("flex",))
            except ConditionError:
                return case
        graph = read_graph(path.read_bytes())
        case = dataclasses.replace(case, graph=graph, operators=tuple(operators(graph)))
        return dataclasses.replace(case, **_opened(path, case.operators))


def _exported(model):
    """The form that `keras-vit export` writes, and what writes it; None for a model that it does not take."""
    for form_of, write in ((inference_model, write_tflite), (text_form, _write_step)):
        try:
            return form_of(model), write
        except InputError:
            continue
    return None


def _write_step(form, path, options=()):
    convert(form, {"step": step_function(form, batch=1)}, path, options)


def _write_as_is(model, path, options=()):
    convert(model, {"serve": _traced(model)}, path, options)


def _traced(model):
    """The model as a function of its inputs, one example at a time."""
    inputs = [tf.TensorSpec((1, *tensor.shape[1:]), tensor.dtype) for tensor in model.inputs]

    @tf.function(input_signature=inputs)
    def serve(*tensors):
        answers = model(list(tensors) if len(tensors) > 1 else tensors[0], training=False)
        return {f"output_{i}": answer for i, answer in enumerate(tf.nest.flatten(answers))}

    return serve


def _opened(path, found):
    if any(operator.is_custom for operator in found):
        return {}  # LiteRT alone does not open it, and the rule about Flex operators tells why
    try:
        outside = run_worker("delegation", file=path, time_limit=TIME_LIMIT)
    except ConditionError as error:
        return {"failure": str(error)}
    return {"outside": tuple(found[index] for index in outside)}
