"""Measures the size and latency of a model's TFLite file."""

import tempfile
from functools import partial
from pathlib import Path

import numpy as np

from keras_vit.export.images.inference_model import inference_model
from keras_vit.export.measurement import median_ms, size_bytes
from keras_vit.export.prediction.tflite import tflite_predictor
from keras_vit.export.tflite.convert import write_tflite
from keras_vit.export.variants import VARIANTS


def footprint(model, image, *, variant="fp32", reference=None, keep=None):
    """Converts a model and measures its TFLite file, all in this process, on one thread.

    Args:
        model: `keras.Model` that gives logits; it need not be trained.
        image: uint8 array `(height, width, channels)`.
        variant: `"fp32"`, `"fp16"` or `"dynamic_int8"`.
        reference: str or Path of a TFLite file that is measured in the same interleaved rounds, or None. Its
            images may be of another size.
        keep: str or Path under which to keep the file, or None.

    Returns:
        dict of `size_bytes` and `latency_ms`; with a reference also its `reference_latency_ms`.

    Raises:
        InputError: no model of images.
        ConditionError: the converter refused it.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(keep or Path(folder) / "model.tflite")
        write_tflite(inference_model(model), path, VARIANTS[variant].converter, in_process=True)
        predictors = [tflite_predictor(path, check=False)]
        if reference is not None:
            predictors.append(tflite_predictor(reference, check=False))
        batches = [np.resize(image, (1, *predictor.image_shape)) for predictor in predictors]
        latencies = median_ms([partial(p.probabilities, b) for p, b in zip(predictors, batches, strict=True)])
        measured = {"size_bytes": size_bytes(path), "latency_ms": latencies[0]}
        return measured | ({} if reference is None else {"reference_latency_ms": latencies[1]})
