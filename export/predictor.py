"""One way to ask any form of a model: run folder, `.keras`, SavedModel or `.tflite`."""

import dataclasses
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from keras_vit.errors import InputError
from keras_vit.files import load_model


@dataclasses.dataclass(frozen=True)
class Predictor:
    """A model as a function from images to probabilities.

    `image_shape` is `(height, width, channels)`; `label_names` a tuple or None; `probabilities` takes
    `(n, height, width, channels)`, uint8 or float in [0, 255], and gives float32 `(n, num_classes)`.
    """

    image_shape: tuple
    label_names: tuple | None
    probabilities: Callable


def load_predictor(path, num_threads=1):
    """Loads a model in any of its forms.

    Args:
        path: str or Path of a run folder, a `.keras` file, a SavedModel folder or a `.tflite` file.
        num_threads: int, for `.tflite`.

    Raises:
        InputError: missing, damaged, or none of these.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"Expected a model at {path}, found nothing.")
    if (path / "model.keras").is_file():
        return keras_predictor(load_model(path / "model.keras"), read_labels(path / "labels.txt"))
    if (path / "saved_model.pb").is_file():
        return saved_model_predictor(path)
    if path.is_dir():
        raise InputError(
            f"Expected a run folder (with model.keras) or a SavedModel (with saved_model.pb), but {path} "
            "holds neither."
        )
    if path.suffix == ".tflite":
        return tflite_predictor(path, num_threads)
    if path.suffix == ".keras":
        return keras_predictor(load_model(path), read_labels(path.parent / "labels.txt"))
    raise InputError(
        f"Expected a run folder, a .keras file, a SavedModel folder or a .tflite file, received {path}."
    )


def read_labels(path):
    """Returns the names in a `labels.txt`, or None when there is none."""
    return tuple(path.read_text(encoding="utf-8").splitlines()) if path.is_file() else None


def keras_predictor(model, label_names=None):
    """Wraps a Keras model that gives logits."""
    from export.inference_model import inference_model

    shipped = inference_model(model)

    def probabilities(images):
        return shipped.predict(np.asarray(images), batch_size=64, verbose=0)

    return Predictor(model.input_shape[1:], label_names, probabilities)


def saved_model_predictor(path):
    """Wraps a SavedModel written by `write_saved_model`."""
    import tensorflow as tf

    try:
        loaded = tf.saved_model.load(str(path))
        serve = loaded.signatures["serving_default"]
        shape = tuple(serve.structured_input_signature[1]["images"].shape)[1:]
        labels = loaded.label_names().numpy() if hasattr(loaded, "label_names") else None
    except Exception as error:  # TensorFlow raises nearly every type for a folder that it cannot read
        line = str(error).strip().splitlines() or [type(error).__name__]
        raise InputError(f"{path} is no SavedModel of ours that can be loaded: {line[0]}") from error

    def probabilities(images):
        images = tf.cast(tf.round(np.asarray(images)), tf.uint8)
        parts = [
            serve(images=images[start : start + 64])["probabilities"].numpy()
            for start in range(0, len(images), 64)
        ]
        return np.concatenate(parts)

    names = None if labels is None else tuple(name.decode() for name in labels)
    return Predictor(shape, names, probabilities)


def tflite_predictor(path, num_threads=1):
    """Wraps a TFLite file with one image in and probabilities out."""
    from ai_edge_litert.interpreter import Interpreter

    check_tflite(path)
    interpreter = Interpreter(str(path), num_threads=num_threads)
    interpreter.allocate_tensors()
    (inside,), (outside,) = interpreter.get_input_details(), interpreter.get_output_details()

    def one(image):
        interpreter.set_tensor(inside["index"], image[None].astype("float32"))
        interpreter.invoke()
        return interpreter.get_tensor(outside["index"])[0]

    def probabilities(images):
        return np.stack([one(image) for image in images])

    return Predictor(tuple(inside["shape"][1:]), read_labels(Path(path).parent / "labels.txt"), probabilities)


def check_tflite(path):
    """Runs a TFLite file once in a process of its own: a damaged one can crash the interpreter.

    Raises:
        InputError: it is no TFLite file, or does not run on one float32 image.
    """
    content = Path(path).read_bytes()[:8]
    if content[4:] != b"TFL3":
        raise InputError(f"{path} is no TFLite file: it is empty, truncated or of another format.")
    result = subprocess.run(
        [sys.executable, "-m", "export.tflite_check", str(path)], capture_output=True, text=True
    )
    if result.returncode:
        lines = [line for line in result.stderr.splitlines() if line.strip()]
        why = lines[-1] if lines and result.returncode > 0 else f"it ended with {result.returncode}"
        raise InputError(f"{path} is damaged or not a model of one image: {why}")
