"""SavedModels as predictors."""

import numpy as np

from keras_vit.errors import ConditionError, InputError
from keras_vit.export.images.app_input import as_taken
from keras_vit.export.model.arrays import BATCH
from keras_vit.export.model.description import (
    Description,
    InputDescription,
    OutputDescription,
    read_description,
)
from keras_vit.export.prediction.predictor import PROBABILITIES, Predictor
from keras_vit.export.saved_model.check import check_saved_model, loaded_saved_model
from keras_vit.export.workers.runner import run_worker

ATTENTION = "attention"
TIME_LIMIT = 120  # seconds; TensorFlow takes some of them to start


def saved_model_predictor(path, check=True):
    """Wraps a SavedModel written by `write_saved_model`; one just written here needs no check.

    Where it takes bytes, floats are rounded.
    """
    if check and check_saved_model(path, loopless=("attention", "label_names")):
        _run_once(path)
    with loaded_saved_model(path) as loaded:
        signatures = dict(loaded.signatures)
        serve = signatures["serving_default"]
        specs = serve.structured_input_signature[1]
        description = read_description(path) or _seen(serve, loaded)

    def answers(signature, names, arrays):
        count = len(next(iter(arrays.values())))
        batches = [_batch(specs, arrays, slice(i, i + BATCH)) for i in range(0, count, BATCH)]
        parts = [signature(**batch) for batch in batches]
        return {name: np.concatenate([part[name].numpy() for part in parts]) for name in names}

    def run(arrays):
        return answers(serve, [output.name for output in description.outputs], arrays)

    def attend(arrays):
        return answers(signatures[ATTENTION], [ATTENTION], arrays)[ATTENTION]

    found = description.classified
    return Predictor(description, run, attend if ATTENTION in signatures else None, found and found.name)


def _run_once(path):
    """Runs a model with loops, which might never end, in a separate process first."""
    try:
        run_worker("serve", path=path, time_limit=TIME_LIMIT)
    except ConditionError as error:
        raise InputError(f"{path} is damaged or does not end: {error}.") from error


def _batch(specs, arrays, items):
    import tensorflow as tf

    return {
        name: tf.constant(as_taken(np.asarray(arrays[name][items]), spec.shape, spec.dtype.as_numpy_dtype))
        for name, spec in specs.items()
    }


def _seen(serve, loaded):
    """The description of a SavedModel of images that has none of its own."""
    specs, row = serve.structured_input_signature[1], serve.structured_outputs[PROBABILITIES]
    inputs = (InputDescription(n, tuple(s.shape)[1:], s.dtype.name, True, 0, 255) for n, s in specs.items())
    scores = OutputDescription(
        PROBABILITIES, tuple(row.shape)[1:], row.dtype.name, "classification", "softmax"
    )
    return Description(tuple(inputs), (scores,), tuple(n.decode() for n in loaded.label_names().numpy()))
