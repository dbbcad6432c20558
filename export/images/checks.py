"""Checks what an export of images is given, before anything is written."""

import keras
import numpy as np

from keras_vit.errors import InputError
from keras_vit.export.images.app_input import DTYPES
from keras_vit.export.variants import AUTO, VARIANTS

FEWEST_CALIBRATION_IMAGES = 32  # ranges from fewer miss what the next image reaches


def check_input(dtype, batch_size):
    """Raises InputError for an input that TFLite files of ours cannot have."""
    if dtype not in DTYPES:
        raise InputError(f"Expected an input of {' or '.join(DTYPES)}, received {dtype!r}.")
    if batch_size < 1:
        raise InputError(f"Expected a batch of 1 or more images, received {batch_size}.")


def check_held_out(model, label_names, images, labels):
    """Raises InputError when names of labels, images and labels do not belong to the model."""
    num_classes = model.output_shape[1]
    if len(label_names) != num_classes or any("\n" in name for name in label_names):
        raise InputError(
            f"Expected one label per output, each of one line: the model has {num_classes} outputs, received "
            f"{len(label_names)} labels."
        )
    if not len(images) or len(images) != len(labels) or images.shape[1:] != model.input_shape[1:]:
        raise InputError(
            f"Expected held-out images {model.input_shape[1:]} with one label each, received images "
            f"{images.shape} and {len(labels)} labels."
        )
    if images.dtype != np.uint8 or np.min(labels) < 0 or np.max(labels) >= num_classes:
        raise InputError(
            f"Expected uint8 images and labels from 0 to {num_classes - 1}, received {images.dtype} images "
            f"and labels from {np.min(labels)} to {np.max(labels)}."
        )


def check_logits(model, images):
    """Raises InputError when the outputs before an `inference_model`'s softmax are probabilities already."""
    outputs = keras.Model(model.inputs, model.layers[-1].input).predict(images[:8], verbose=0)
    if outputs.min() >= 0 and np.allclose(outputs.sum(axis=1), 1, atol=1e-3):
        raise InputError(
            f"Expected a model that returns logits, but {model.name} already returns probabilities. "
            "Leave its softmax out: the export adds it."
        )


def check_calibration(model, variants, images):
    """Raises InputError when calibration images do not fit the model, or are too few for a variant."""
    needing = [variant for variant in variants if variant == AUTO or VARIANTS[variant].needs_calibration]
    if images is None:
        if not needing:
            return
        raise InputError(
            f"Expected calibration images for {needing[0]}, received none. Give some hundred images of the "
            "training data, or choose a variant that needs none, such as dynamic_int8."
        )
    if images.dtype != np.uint8 or images.shape[1:] != model.input_shape[1:]:
        raise InputError(
            f"Expected uint8 calibration images (n, {', '.join(map(str, model.input_shape[1:]))}), received "
            f"{images.dtype} {images.shape}."
        )
    if needing and len(images) < FEWEST_CALIBRATION_IMAGES:
        raise InputError(
            f"Expected at least {FEWEST_CALIBRATION_IMAGES} calibration images for {needing[0]}, received "
            f"{len(images)}. Give more of the training data, or choose a variant that needs none, such as "
            "dynamic_int8."
        )
