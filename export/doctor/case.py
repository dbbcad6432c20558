"""A model and the TFLite file written from it, which the rules examine."""

import dataclasses
import tempfile
from pathlib import Path

import keras
import tensorflow as tf

from keras_vit.errors import ConditionError, InputError
from keras_vit.export.doctor.finding import Finding, names
from keras_vit.export.model.function import classifier_of_images
from keras_vit.export.text.form import text_form
from keras_vit.export.text.write import step_function
from keras_vit.export.tflite.convert import convert, write_tflite
from keras_vit.export.tflite.file_form import FileForm
from keras_vit.export.tflite.graph import Operator, operators, read_graph
from keras_vit.export.workers.runner import run_worker
from keras_vit.keras_internals import all_layers

TIME_LIMIT = 300  # seconds, to open a file


@dataclasses.dataclass(frozen=True)
class Case:
    """A model and the facts about its file."""

    model: keras.Model
    as_exported: bool = False  # whether the file has the form in which `keras-vit export` writes it
    refusal: str | None = None  # why TensorFlow's converter wrote no file of builtin operators
    graph: object = None  # the file's `ModelT`, with Flex operators if it needs them, or None without a file
    operators: tuple[Operator, ...] = ()
    failure: str | None = None  # why LiteRT does not run the file
    outside: tuple[Operator, ...] = ()  # those that the XNNPACK delegate does not run; none with a failure

    def finding(self, target: str, operators, reason: str, fix: str) -> Finding:
        """Returns a finding about the layers that operators belong to, by the operators' names."""
        known = {layer.name for layer in all_layers(self.model)}
        paths = [_layer_path(operator.name, known, self.model.name) for operator in operators]
        return Finding(target, names(paths), reason, fix)


def convert_case(model: keras.Model, as_is: bool = False) -> Case:
    """Converts a built model and opens the file.

    Unless it is converted as is, an image classifier has the form that `keras-vit export` writes, and a
    character model is its `step`.
    """
    exported = None if as_is else _exported(model)
    form, write = exported or (model, _write_as_is)
    known = {"model": model, "as_exported": exported is not None}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        try:
            write(form, path)
        except ConditionError as error:
            known["refusal"] = str(error)
            try:
                write(form, path, ("flex",))
            except ConditionError:
                return Case(**known)
        graph = read_graph(path.read_bytes())
        found = tuple(operators(graph))
        return Case(**known, graph=graph, operators=found, **_open(path, found))


def _exported(model):
    """The form that `keras-vit export` writes and the function that writes it, or None if it cannot."""
    for form_of, write in ((_classifier, write_tflite), (text_form, _write_step)):
        try:
            return form_of(model), write
        except InputError:
            continue
    return None


def _classifier(model):
    return FileForm(classifier_of_images(model), input_dtype="float32", rgb=True)


def _write_step(form, path, options=()):
    convert(form, {"step": step_function(form, batch=1)}, path, options)


def _write_as_is(model, path, options=()):
    inputs = [tf.TensorSpec((1, *tensor.shape[1:]), tensor.dtype) for tensor in model.inputs]

    @tf.function(input_signature=inputs)
    def serve(*tensors):
        outputs = model(list(tensors) if len(tensors) > 1 else tensors[0], training=False)
        return {f"output_{i}": output for i, output in enumerate(tf.nest.flatten(outputs))}

    convert(model, {"serve": serve}, path, options)


def _open(path, found):
    if any(operator.is_custom for operator in found):
        return {}  # LiteRT alone does not open it, for the reason that the rule about Flex operators reports
    try:
        outside = run_worker("delegation", file=path, time_limit=TIME_LIMIT)
    except ConditionError as error:
        return {"failure": str(error)}
    return {"outside": tuple(found[index] for index in outside)}


def _layer_path(operator_name, layer_names, model_name):
    """The innermost layer in an operator's name, after those around it."""
    for name in operator_name.split(";"):
        parts = [_without_number(part, layer_names) for part in name.split("/")]
        while parts and parts[-1] not in layer_names:
            parts.pop()
        if parts:
            return "/".join(part for part in parts if part != model_name) or model_name
    return operator_name.split(";")[0] or model_name


def _without_number(part, layer_names):
    """Removes the number that tracing appends."""
    stem, _, number = part.rpartition("_")
    return stem if part not in layer_names and number.isdigit() and stem in layer_names else part
