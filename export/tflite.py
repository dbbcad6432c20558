"""Converts a model to a TFLite file, in a child process."""

import subprocess
import sys
import tempfile
from pathlib import Path

import tensorflow as tf

from export.saved_model import module_of
from keras_vit.errors import ConditionError

TIME_LIMIT = 1800  # seconds


def write_tflite(model, variant, path, worker=("-m", "export.convert_worker")):
    """Writes a TFLite file with a batch of one, static shapes and builtin operators only.

    The converter runs in a process of its own, so that its crash is an error here.

    Args:
        model: the model as `inference_model` gives it.
        variant: `"fp32"`, `"fp16"` (weights in float16) or `"dynamic_int8"` (weights in int8, activations
            quantised as they come).
        path: str or Path of the file. Input is float32 `(1, height, width, channels)` in [0, 255], output
            float32 probabilities `(1, num_classes)`.
        worker: how Python is to run the converter.

    Raises:
        ConditionError: the converter refused the model, crashed or took too long.
    """
    with tempfile.TemporaryDirectory() as folder:
        _write_graph(model, folder)
        command = [sys.executable, *worker, folder, variant, str(path)]
        try:
            result = subprocess.run(command, capture_output=True, text=True, timeout=TIME_LIMIT)
        except subprocess.TimeoutExpired as error:
            raise ConditionError(
                f"Converting {model.name} to {variant} took more than {TIME_LIMIT} s and was stopped."
            ) from error
    if result.returncode or not Path(path).is_file():
        raise ConditionError(
            f"Converting {model.name} to {variant} failed ({_ending(result.returncode)}): "
            f"{_telling_line(result.stderr)}"
        )


def _write_graph(model, folder):
    shape = (1, *model.input_shape[1:])

    @tf.function(input_signature=[tf.TensorSpec(shape, tf.float32, "images")])
    def serve(images):
        return {"probabilities": model(images, training=False)}

    module = module_of(model)
    module.serve = serve
    tf.saved_model.save(module, folder, signatures={"serve": serve})


def _ending(code):
    return f"ended by signal {-code}" if code < 0 else f"exit code {code}"


def _telling_line(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if "rror" in line or "not supported" in line]
    return (telling or lines or ["it said nothing"])[-1][:500]
