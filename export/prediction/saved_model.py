"""SavedModels as predictors."""

import functools

import numpy as np

from keras_vit.export.prediction.predictor import BATCH, Predictor
from keras_vit.export.saved_model.load import loaded_saved_model


def saved_model_predictor(path):
    """Wraps a SavedModel written by `write_saved_model`, which takes whole numbers: floats are rounded."""
    import tensorflow as tf

    with loaded_saved_model(path, loopless=("serving_default", "attention", "label_names")) as loaded:
        serve = loaded.signatures["serving_default"]
        shape = tuple(serve.structured_input_signature[1]["images"].shape)[1:]
        num_classes = serve.structured_outputs["probabilities"].shape[1]
        names = tuple(name.decode() for name in loaded.label_names().numpy())

    def answers(signature, name, images):
        images = np.clip(np.rint(images), 0, 255).astype("uint8")
        starts = range(0, len(images), BATCH)
        return np.concatenate([signature(images=tf.constant(images[i : i + BATCH]))[name] for i in starts])

    run = functools.partial(answers, serve, "probabilities")
    attention = loaded.signatures.get("attention")
    attend = attention and functools.partial(answers, attention, "attention")
    return Predictor(shape, names, num_classes, run, attend)
