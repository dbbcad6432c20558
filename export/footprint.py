"""Measures the size and latency of a model's TFLite file."""

import tempfile
from functools import partial
from pathlib import Path

import keras
import numpy as np

from keras_vit.export.images.inference_model import inference_model
from keras_vit.export.measurement import median_ms, size_bytes
from keras_vit.export.prediction.tflite import tflite_predictor
from keras_vit.export.tflite.convert import write_tflite
from keras_vit.export.variants import VARIANTS


def footprint(
    model: keras.Model,
    image: np.ndarray,
    *,
    variant: str = "fp32",  # or one that TensorFlow's converter writes
    reference: str | Path | None = None,
    keep: str | Path | None = None,
) -> dict[str, float]:
    """Converts a model that returns logits and measures its TFLite file, all in this process, on one thread.

    Returns `size_bytes` and `latency_ms` for one uint8 image `(height, width, channels)`; with a reference, a
    TFLite file that is measured in the same rounds, also its `reference_latency_ms`. `keep` is where to keep
    the file.
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
