"""A model and the TFLite file written from it, which the rules examine."""

import contextlib
import dataclasses
import functools
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import keras
import tensorflow as tf

from keras_vit.errors import ConditionError, InputError
from keras_vit.export.doctor.finding import Finding, names
from keras_vit.export.model.example import example_inputs
from keras_vit.export.model.function import ending
from keras_vit.export.model.precision import computing_in_float32
from keras_vit.export.model.signature import Tensor, graph_signature
from keras_vit.export.pairs.form import PairForm
from keras_vit.export.pairs.write import signatures as pair_signatures
from keras_vit.export.text.form import text_form
from keras_vit.export.text.write import step_function
from keras_vit.export.tflite.convert import convert, write_tflite
from keras_vit.export.tflite.file_form import form_for
from keras_vit.export.tflite.graph import Operator, end_names, operators, read_graph
from keras_vit.export.workers.runner import run_worker
from keras_vit.keras_internals import all_layers, input_structure, is_graph
from keras_vit.models.char_rnn import is_recurrent
from keras_vit.models.char_seq2seq import is_seq2seq

TIME_LIMIT = 300  # seconds, to open a file
CALLS = ("PartitionedCall", "StatefulPartitionedCall")  # names of the outputs in a file


@dataclasses.dataclass(frozen=True)
class Case:
    """A model and the facts about its file."""

    model: keras.Model
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    as_exported: bool = False  # whether the file has the form in which `keras-vit export` writes it
    is_step: bool = False  # whether the file is the step of a model of characters or of pairs of texts
    channels: int | None = None  # of the file's one image, or None for other inputs
    endings: tuple[str, ...] = ()  # names of the functions that compute the outputs, where they are known
    refusal: str | None = None  # why TensorFlow's converter wrote no file of builtin operators
    graph: object = None  # the file's `ModelT`, with Flex operators if it needs them, or None without a file
    operators: tuple[Operator, ...] = ()
    failure: str | None = None  # why LiteRT does not run the file
    outside: tuple[Operator, ...] = ()  # those that the XNNPACK delegate does not run; none with a failure

    def finding(self, target: str, operators, reason: str, fix: str) -> Finding:
        """Returns a finding about the layers that operators belong to, by the operators' names."""
        known = {layer.name for layer in all_layers(self.model)}
        paths = [_layer_path(self._name(operator), known, self.model.name) for operator in operators]
        return Finding(target, names(paths), reason, fix)

    def _name(self, operator):
        """Its tensor's name; the output's own name where the converter calls all outputs alike."""
        if not operator.name.startswith(CALLS):
            return operator.name
        tensors = list(self.graph.subgraphs[0].outputs)
        return end_names(self.graph)[1][tensors.index(operator.outputs[0])]


def convert_case(model: keras.Model, as_is=False, inputs=None, task=None, activation=None) -> Case:
    """Converts a model and opens the file; arguments as in `keras_vit.export.examine`."""
    with contextlib.nullcontext(model) if as_is else computing_in_float32(model) as full:
        form = _form(model, full, as_is, inputs, task, activation)
        known = {"model": model, "as_exported": form.as_exported, **form.facts}
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.tflite"
            try:
                form.write(path)
            except ConditionError as error:
                known["refusal"] = str(error)
                try:
                    form.write(path, ("flex",))
                except ConditionError:
                    return Case(**known)
            graph = read_graph(path.read_bytes())
            found = tuple(operators(graph))
            return Case(**known, graph=graph, operators=found, **_open(path, found))


class _Form(NamedTuple):
    """How a file is written."""

    write: Callable  # of a path and options of the converter
    facts: dict  # fields of `Case`
    as_exported: bool = True


def _form(given, model, as_is, inputs, task, activation):
    if not as_is and is_seq2seq(model) and model.inputs[0].shape[1] is not None:
        return _step(model, PairForm(model), lambda form: pair_signatures(form, batch=1)["step"])
    if not as_is and is_character_model(model):
        return _step(model, text_form(model), lambda form: step_function(form, batch=1))
    is_open = is_graph(model) and any(None in tensor.shape[1:] for tensor in model.inputs)
    if as_is or inputs is None and is_open:  # the sizes of the file are not known
        return _as_it_is(model)
    return _exported(given, model, inputs, task, activation)


def is_character_model(model):
    """Whether a model predicts characters: `keras-vit export` writes its step."""
    if not is_graph(model) or not (is_recurrent(model) or any(map(_is_causal, model.layers))):
        return False
    try:
        text_form(model)
    except (InputError, AttributeError, IndexError, KeyError, TypeError):  # layers of other models
        return False
    return True


def _is_causal(layer):
    return getattr(layer, "causal", False)


def _exported(given, model, inputs, task, activation):
    form = form_for(model, example_inputs(given) if inputs is None else inputs, task, activation, given)
    function = form.function
    added = [function.activations.get(output.name) for output in function.outputs]
    own = map(ending, model.outputs) if is_graph(model) else [""] * len(added)
    endings = tuple(one or other for one, other in zip(added, own, strict=True))
    facts = _facts(function.open_inputs, function.outputs, form.inputs, endings)
    return _Form(functools.partial(write_tflite, form), facts)


def _step(model, form, function):
    write = functools.partial(convert, form, {"step": function(form)})
    return _Form(write, {**_facts_of_graph(model), "is_step": True})


def _as_it_is(model):
    if not is_graph(model):
        raise InputError(
            f"{model.name} is a {type(model).__name__}, which is examined in the form that keras-vit export "
            "writes. Leave out as_is (--as-is)."
        )
    inputs = [tf.TensorSpec((1, *tensor.shape[1:]), tensor.dtype) for tensor in model.inputs]

    @tf.function(input_signature=inputs)
    def serve(*tensors):
        outputs = model(keras.tree.pack_sequence_as(input_structure(model), tensors), training=False)
        return {f"output_{i}": output for i, output in enumerate(tf.nest.flatten(outputs))}

    return _Form(functools.partial(convert, model, {"serve": serve}), _facts_of_graph(model), False)


def _facts_of_graph(model):
    signature = graph_signature(model)
    endings = tuple(map(ending, model.outputs))
    return _facts(signature.inputs, signature.outputs, signature.inputs, endings)


def _facts(inputs, outputs, passed, endings):
    """Fields of `Case`; `passed` are the inputs as an app passes them."""
    images = len(passed) == 1 and len(passed[0].shape) == 3
    channels = passed[0].shape[-1] if images else None
    return {"inputs": inputs, "outputs": outputs, "channels": channels, "endings": endings}


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
        parts = []
        for part in name.split("/"):  # tracing appends a number
            stem, _, number = part.rpartition("_")
            is_numbered = part not in layer_names and number.isdigit() and stem in layer_names
            parts.append(stem if is_numbered else part)
        while parts and parts[-1] not in layer_names:
            parts.pop()
        if parts:
            return "/".join(part for part in parts if part != model_name) or model_name
    return operator_name.split(";")[0] or model_name
