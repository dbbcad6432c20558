"""Keras models as predictors: softmax is applied to logits, other outputs are returned unchanged."""

import keras
import numpy as np

from keras_vit.errors import InputError, Notice, warn
from keras_vit.export.model.calibration import calibrated
from keras_vit.export.model.description import Description, InputDescription, OutputDescription
from keras_vit.export.prediction.predictor import LOGITS, PROBABILITIES, Predictor
from keras_vit.io.label_names import names_next_to
from keras_vit.io.model_archive import load_model
from keras_vit.io.output_meaning import OutputMeaning, read_output_meaning
from keras_vit.io.preprocessing import Preprocessing
from keras_vit.keras_internals import is_graph
from keras_vit.models import attention_maps
from keras_vit.pretrained.run_source import saved_preprocessing


def load_keras_predictor(path, outputs=None):
    """Loads a `.keras` file; `outputs` as in `keras_vit.export.load_predictor`, logits in a run folder."""
    model = load_model(path)
    known = saved_preprocessing(path.parent)
    if (path.parent / "recipe.json").is_file():
        meaning = read_output_meaning(path.parent)
        if meaning.is_declared(outputs):
            return run_predictor(model, names_next_to(path), meaning, known)
    if outputs is None and is_graph(model) and _is_classifier_of_images(model):
        outputs, seen = _infer(model)
        warn(f"{path}: {seen}. Declare outputs if they are not.", Notice)
    return keras_predictor(model, names_next_to(path), outputs, known)


def run_predictor(
    model: keras.Model,
    label_names: tuple | None,
    meaning: OutputMeaning,
    preprocessing: Preprocessing | None = None,
) -> Predictor:
    """Wraps the model of a run, which it changes: its outputs are calibrated."""
    model = calibrated(model, meaning.temperature, meaning.sharpening)
    if meaning.task == "classification":
        return keras_predictor(model, label_names, LOGITS, preprocessing, meaning.none_below)
    function = _function(model, meaning.activation)
    (output,) = function.outputs
    thresholds = meaning.thresholds and tuple(meaning.thresholds)
    description = _description(function, {output.name: meaning.task}, label_names, preprocessing, thresholds)
    return _predictor(function, description, None)


def keras_predictor(
    model: keras.Model,
    label_names: tuple | None = None,
    outputs: str | None = LOGITS,
    preprocessing: Preprocessing | None = None,
    none_below: float | None = None,
) -> Predictor:
    """Wraps a model whose one output is logits, probabilities, or neither (None).

    A subclassed model has to be built, or loaded, as its inputs have no names.
    """
    function = _function(model, "softmax" if outputs == LOGITS else None, is_single=outputs is not None)
    classes = None if outputs is None else function.outputs[0].name
    facts = (label_names, preprocessing, None, none_below)
    description = _description(function, {classes: "classification"}, *facts)
    return _predictor(function, description, classes)


def _function(model, activation, is_single=True):
    from keras_vit.export.model.example import example_inputs
    from keras_vit.export.model.function import ModelFunction
    from keras_vit.export.model.precision import in_float32
    from keras_vit.export.model.signature import graph_signature, signature_of

    full = in_float32(model) if is_graph(model) else model
    signature = graph_signature(full) if is_graph(full) else signature_of(full, example_inputs(full), full)[0]
    if is_single and len(signature.outputs) != 1:
        raise InputError(f"Expected a model of one output, received {len(signature.outputs)}.")
    activations = {signature.outputs[0].name: activation} if activation else {}
    sizes = {tensor.name: tensor.shape for tensor in signature.inputs}
    return ModelFunction(full, signature, sizes, activations)


def _predictor(function, description, classes):
    def attend(arrays):
        return attention_maps(function.model, next(iter(arrays.values())))

    return Predictor(description, function.predict, attend, classes)


def _description(function, tasks, label_names, preprocessing, thresholds=None, none_below=None):
    added, decided = function.activations, {"thresholds": thresholds, "none_below": none_below}
    inputs = (InputDescription(t.name, t.shape, t.dtype) for t in function.inputs)
    outputs = (
        OutputDescription(t.name, t.shape, t.dtype, tasks.get(t.name), added.get(t.name), **decided)
        for t in function.outputs
    )
    return Description(tuple(inputs), tuple(outputs), label_names, preprocessing=preprocessing)


def _is_classifier_of_images(model):
    shapes = [tuple(tensor.shape) for tensor in (*model.inputs, *model.outputs)]
    if len(shapes) != 2:
        return False
    images, row = shapes
    return len(images) == 4 and None not in images[1:] and len(row) == 2 and (row[1] or 0) > 1


def _infer(model):
    """Returns the meaning of a model's outputs, seen from those for some images, and the reason."""
    shape = model.inputs[0].shape[1:]
    random = np.random.default_rng(0).integers(0, 256, (8, *shape))
    images = np.concatenate([random, np.zeros((1, *shape)), np.full((1, *shape), 255)])
    outputs = model.predict(images.astype("float32"), verbose=0)
    outputs = next(iter(keras.tree.flatten(outputs)))
    if outputs.min() >= 0 and outputs.max() <= 1:
        return PROBABILITIES, "its outputs are in [0, 1] and are taken as probabilities, unchanged"
    return LOGITS, "its outputs exceed [0, 1] and are taken as logits, to which softmax is applied"
