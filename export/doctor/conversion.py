"""Converts a model, whatever it is, and looks at what comes of it."""

import dataclasses
import json
import tempfile
from pathlib import Path

import tensorflow as tf

from keras_vit.errors import ConditionError, InputError
from keras_vit.export.child import run_child
from keras_vit.export.doctor.case import Case
from keras_vit.export.inference_model import inference_model
from keras_vit.export.saved_model import save
from keras_vit.export.text.form import text_form
from keras_vit.export.text.write import step_function
from keras_vit.export.tflite import WORKER, run_converter, write_tflite
from keras_vit.export.tflite_graph import operators, read_graph

DELEGATION = (str(Path(__file__).with_name("delegation_worker.py")),)
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
            write(form, path, "fp32")
        except ConditionError as error:
            case = dataclasses.replace(case, refusal=str(error))
            try:
                write(form, path, "flex")
            except ConditionError:
                return case
        graph = read_graph(path.read_bytes())
        case = dataclasses.replace(case, graph=graph, operators=tuple(operators(graph)))
        return dataclasses.replace(case, **_opened(path, case.operators))


def _exported(model):
    """The form that `keras-vit export` writes, and what writes it; None for a model that it does not take."""
    for form_of, write in ((inference_model, _write_classifier), (text_form, _write_step)):
        try:
            return form_of(model), write
        except InputError:
            continue
    return None


def _write_classifier(form, path, variant):
    write_tflite(form, variant, path)


def _write_step(form, path, variant):
    with tempfile.TemporaryDirectory() as folder:
        save(form, folder, signatures={"step": step_function(form, batch=1)})
        run_converter(WORKER, folder, "step", variant, path)


def _write_as_is(model, path, variant):
    with tempfile.TemporaryDirectory() as folder:
        save(model, folder, signatures={"serve": _traced(model)})
        run_converter(WORKER, folder, "serve", variant, path)


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
    out = path.with_suffix(".json")
    try:
        run_child(DELEGATION, path, out, time_limit=TIME_LIMIT)
    except ConditionError as error:
        return {"failure": str(error)}
    return {"outside": tuple(found[index] for index in json.loads(out.read_text()))}
