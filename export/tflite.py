"""Converts a model to a TFLite file, in a child process."""

import errno
import tempfile
from pathlib import Path

import tensorflow as tf

from export.child import run_child
from export.saved_model import is_full_disk, save
from keras_vit.errors import ConditionError

WORKER = (str(Path(__file__).with_name("convert_worker.py")),)
TIME_LIMIT = 1800  # seconds


def write_tflite(model, variant, path, worker=WORKER):
    """Writes a TFLite file with a batch of one, static shapes and builtin operators only.

    The converter runs in a process of its own, so that its crash is an error here.

    Args:
        model: the model as `inference_model` gives it.
        variant: `"fp32"`, `"fp16"` (weights in float16) or `"dynamic_int8"` (weights in int8, activations
            quantised as they come).
        path: str or Path of the file. Input is float32 `(1, height, width, channels)` in [0, 255], output
            float32 probabilities `(1, num_classes)`.
        worker: tuple of str, how Python is told to run the converter.

    Raises:
        ConditionError: the converter refused the model, crashed or took too long.
        OSError: the disk is full.
    """
    path = Path(path)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        _write_graph(model, folder)
        try:
            run_child(worker, folder, variant, path, time_limit=TIME_LIMIT)
        except ConditionError as error:
            if is_full_disk(str(error)):
                raise OSError(errno.ENOSPC, str(error)) from error
            raise ConditionError(f"the conversion failed: {error}") from error
    if not path.is_file():
        raise ConditionError("the converter wrote no file and said nothing")


def _write_graph(model, folder):
    shape = (1, *model.input_shape[1:])

    @tf.function(input_signature=[tf.TensorSpec(shape, tf.float32, "images")])
    def serve(images):
        return {"probabilities": model(images, training=False)}

    save(model, folder, signatures={"serve": serve})
