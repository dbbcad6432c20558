"""SavedModels as predictors."""

import numpy as np

from keras_vit.export.images.app_input import as_taken
from keras_vit.export.model.arrays import BATCH
from keras_vit.export.model.description import (
    Description,
    InputDescription,
    OutputDescription,
    read_description,
)
from keras_vit.export.prediction.predictor import PROBABILITIES, Predictor
from keras_vit.export.saved_model.load import loaded_saved_model

ATTENTION = "attention"


def saved_model_predictor(path):
    """Wraps a SavedModel written by `write_saved_model`; where it takes bytes, floats are rounded."""
    with loaded_saved_model(path, loopless=("serving_default", "attention", "label_names")) as loaded:
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


def _batch(specs, arrays, items):
    import tensorflow as tf

    return {
        name: tf.constant(as_taken(np.asarray(arrays[name][items]), spec.shape, spec.dtype.as_numpy_dtype))
        for name, spec in specs.items()
    }


def _seen(serve, loaded):
    """The description of a SavedModel of images that has none of its own."""
    specs = serve.structured_input_signature[1]
    row = serve.structured_outputs[PROBABILITIES]
    return Description(
        tuple(InputDescription(n, tuple(s.shape)[1:], s.dtype.name, True, 0, 255) for n, s in specs.items()),
        (
            OutputDescription(
                PROBABILITIES, tuple(row.shape)[1:], row.dtype.name, "classification", "softmax"
            ),
        ),
        tuple(name.decode() for name in loaded.label_names().numpy()),
    )
