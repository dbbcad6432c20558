"""Converts a model to a TFLite file, in a child process."""

import errno
import tempfile
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_vit.errors import ConditionError
from keras_vit.export.app_input import GREY
from keras_vit.export.child import run_child
from keras_vit.export.convert_worker import convert
from keras_vit.export.mobile import MobileForm, mobile_form
from keras_vit.export.saved_model import is_full_disk, save

WORKER = (str(Path(__file__).with_name("convert_worker.py")),)
TIME_LIMIT = 1800  # seconds


def write_tflite(model, variant, path, input_dtype="float32", worker=WORKER):
    """Writes a TFLite file with static shapes and builtin operators only.

    The converter runs in a process of its own, so that its crash is an error here; or, where this process is
    there for nothing else, in this one, which saves some seconds.

    Args:
        model: the model as `inference_model` gives it, which is brought into its mobile form; or a
            `MobileForm`, for another batch than one or for attention.
        variant: `"fp32"`, `"fp16"` (weights in float16) or `"dynamic_int8"` (weights in int8, activations
            quantised as they come).
        path: str or Path of the file. Its input is `(1, height, width, channels)` in [0, 255], where a model
            of grey images takes RGB, its output float32 `probabilities` `(1, num_classes)` and, of a form
            with attention, `attention` `(1, rows, columns)`.
        input_dtype: `"float32"` or `"uint8"`.
        worker: tuple of str, how Python is told to run the converter; None for this process.

    Raises:
        ConditionError: the converter refused the model, crashed, took too long or too much memory.
        OSError: the disk is full.
    """
    path = Path(path)
    form = model if isinstance(model, MobileForm) else mobile_form(model)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        _write_graph(form, input_dtype, folder)
        if worker is None:
            path.write_bytes(convert(folder, "serve", variant))
        else:
            run_converter(worker, folder, "serve", variant, path)


def run_converter(worker, *arguments):
    """Runs a program that writes the file named by its last argument.

    Raises:
        ConditionError: it failed, or wrote nothing.
        OSError: the disk is full.
    """
    try:
        run_child(worker, *arguments, time_limit=TIME_LIMIT)
    except ConditionError as error:
        if is_full_disk(str(error)):
            raise OSError(errno.ENOSPC, str(error)) from error
        raise ConditionError(f"the conversion failed: {error}") from error
    if not Path(arguments[-1]).is_file():
        raise ConditionError("the converter wrote no file and said nothing")


def _write_graph(form, input_dtype, folder):
    *size, channels = form.input_shape
    given = tf.TensorSpec((*size, 3 if channels == 1 else channels), input_dtype, "images")

    @tf.function(input_signature=[given])
    def serve(images):
        images = tf.cast(images, tf.float32)
        images = _grey(images) if channels == 1 else images
        if form.map_shape is None:
            return {"probabilities": form(images)}
        probabilities, attention = form.with_attention(images)
        return {"probabilities": probabilities, "attention": attention}

    save(form, folder, signatures={"serve": serve})


def _grey(images):
    """A mean, which XNNPACK takes and no variant quantises to another grey, as it would a product."""
    return tf.reduce_mean(images * (3 * np.array(GREY, "float32")), axis=-1, keepdims=True)
