"""Measures the size and latency of a model's TFLite file."""

import tempfile
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_vit.export.measurement import median_ms, size_bytes
from keras_vit.export.model.precision import computing_in_float32
from keras_vit.export.tflite.convert import write_tflite
from keras_vit.export.tflite.file_form import form_for
from keras_vit.export.tflite.interpreter import open_interpreter
from keras_vit.export.variants import VARIANTS


def footprint(
    model: keras.Model,
    item: Any,
    *,
    task: str | None = None,
    activation: str | dict[str, str] | None = None,
    variant: str = "fp32",  # or one that TensorFlow's converter writes
    reference: str | Path | None = None,
    keep: str | Path | None = None,
) -> dict[str, float]:
    """Converts a model and measures its TFLite file, all in this process, on one thread.

    `item` is one item of the inputs: an array, or a list or dict of arrays, without the batch axis. `task`
    and `activation` are those of `export_model`. Returns `size_bytes` and `latency_ms` for one item; with a
    reference, a TFLite file that is measured in the same rounds, also its `reference_latency_ms`. `keep` is
    where to keep the file.
    """
    inputs = keras.tree.map_structure(lambda array: np.asarray(array)[None], item)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(keep or Path(folder) / "model.tflite")
        write_unverified(model, inputs, path, task=task, activation=activation, variant=variant)
        files = [path] if reference is None else [path, Path(reference)]
        latencies = median_ms([open_interpreter(file).invoke for file in files])
        measured = {"size_bytes": size_bytes(path), "latency_ms": latencies[0]}
        return measured | ({} if reference is None else {"reference_latency_ms": latencies[1]})


def int8_footprint(model: keras.Model, item: Any, **files: Any) -> dict[str, float]:
    """Measures the `dynamic_int8` file of a model, for `measure` of `keras_vit.training.search`.

    Args:
        model: keras.Model, trained or not.
        item: one item of its inputs: an array, or a list or dict of arrays, without the batch axis.
        **files: `reference`, str or Path of a TFLite file that is measured in the same rounds, and `keep`,
            str or Path where to keep the model's. Default: None.

    Returns:
        dict: `size_bytes` and `latency_ms` for one item on one thread of this machine, and with a reference
        its `reference_latency_ms`.

    Raises:
        ConditionError: TensorFlow's converter or LiteRT refuses the model.

    Example:
        >>> import keras, numpy as np
        >>> from keras_vit.export import int8_footprint
        >>> model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(64), keras.layers.Dense(10)])
        >>> sorted(int8_footprint(model, np.zeros(64, "float32")))
        ['latency_ms', 'size_bytes']
    """
    return footprint(model, item, variant="dynamic_int8", **files)


def write_unverified(
    model: keras.Model,
    inputs: Any,
    path: str | Path,
    *,
    task: str | None = None,
    activation: str | dict[str, str] | None = None,
    variant: str = "fp32",
):
    """Writes a model as a TFLite file in this process, to measure it; nothing is compared."""
    with computing_in_float32(model) as full:
        form = form_for(full, inputs, task, activation, model)
        write_tflite(form, path, VARIANTS[variant].converter, in_process=True)


def classifier_footprint(model: keras.Model, image: np.ndarray, **options: Any) -> dict[str, float]:
    """Measures a classifier of images that returns logits, with softmax in its file; else as `footprint`."""
    return footprint(model, image, task="classification", activation="softmax", **options)
