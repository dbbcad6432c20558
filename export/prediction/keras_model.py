"""Keras models as predictors: softmax is applied to logits, other outputs are returned unchanged."""

import warnings

import keras
import numpy as np

from keras_vit.errors import Notice
from keras_vit.export.prediction.predictor import BATCH, LOGITS, PROBABILITIES, Predictor
from keras_vit.io.label_names import read_label_names
from keras_vit.io.model_archive import load_model
from keras_vit.models import attention_maps


def load_keras_predictor(path, outputs=None):
    """Loads a `.keras` file; `outputs` as in `keras_vit.export.load_predictor`, logits in a run folder."""
    model = load_model(path)
    if outputs is None and (path.parent / "recipe.json").is_file():
        outputs = LOGITS
    if outputs is None:
        outputs, seen = _infer(model)
        warnings.warn(f"{path}: {seen}. Declare outputs if they are not.", Notice, stacklevel=4)
    return keras_predictor(model, read_labels(path.parent / "labels.txt"), outputs)


def keras_predictor(model: keras.Model, label_names: tuple | None = None, outputs: str = LOGITS) -> Predictor:
    """Wraps a functional or Sequential model from one image of fixed size to a row of classes."""
    from keras_vit.export.images.inference_model import check_classifier, inference_model

    check_classifier(model)
    answering = inference_model(model) if outputs == LOGITS else model

    def run(images):
        return answering.predict(images, batch_size=BATCH, verbose=0)

    def attend(images):
        return attention_maps(answering, images)

    return Predictor(model.input_shape[1:], label_names, model.output_shape[-1], run, attend)


def read_labels(path):
    """Returns the names in a `labels.txt`, one a line, or None when there is none."""
    return read_label_names(path) if path.exists() else None


def _infer(model):
    """Returns the meaning of a model's outputs, seen from those for some images, and the reason."""
    from keras_vit.export.images.inference_model import check_classifier

    check_classifier(model)
    shape = model.input_shape[1:]
    random = np.random.default_rng(0).integers(0, 256, (8, *shape))
    images = np.concatenate([random, np.zeros((1, *shape)), np.full((1, *shape), 255)])
    outputs = model.predict(images.astype("float32"), verbose=0)
    if outputs.min() >= 0 and outputs.max() <= 1:
        return PROBABILITIES, "its outputs are in [0, 1] and are taken as probabilities, unchanged"
    return LOGITS, "its outputs exceed [0, 1] and are taken as logits, to which softmax is applied"
