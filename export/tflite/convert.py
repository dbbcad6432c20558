"""Converts a model to a TFLite file, in a separate process."""

import tempfile
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_vit.export.images.app_input import GREY
from keras_vit.export.mobile import MobileForm, mobile_form
from keras_vit.export.saved_model.write import save
from keras_vit.export.workers.runner import run_writer


def write_tflite(model, path, options=(), input_dtype="float32", in_process=False):
    """Writes an `inference_model`'s mobile form, or a `MobileForm`, as TFLite file of builtin operators.

    Its input is `(batch, height, width, channels)` in [0, 255], where a model of grey images takes RGB, its
    output float32 `probabilities` `(batch, num_classes)` and, of a form with attention, `attention`
    `(batch, rows, columns)`.
    """
    form = model if isinstance(model, MobileForm) else mobile_form(model)
    convert(form, {"serve": _serve_function(form, input_dtype)}, path, options, in_process)


def convert(owner, signatures, path, options=(), in_process=False):
    """Writes a TFLite file of signatures, `tf.function`s by name that read the `variables` of their owner.

    `options` are those of `keras_vit.export.workers.convert`. The converter runs in a separate process, so
    that its refusal, crash or excess is a ConditionError (a full disk an OSError); `in_process` it saves some
    seconds, and its crash is this process's own.
    """
    path = Path(path)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        save(owner, folder, signatures=signatures)
        names = sorted(signatures)
        if in_process:
            from keras_vit.export.workers.convert import convert as convert_here

            path.write_bytes(convert_here(folder, names, options))
        else:
            run_writer("convert", saved_model=folder, signatures=names, options=list(options), path=path)


def _serve_function(form, input_dtype):
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

    return serve


def _grey(images):
    """A mean: XNNPACK runs it, and quantization does not change the grey, as it would with a product."""
    return tf.reduce_mean(images * (3 * np.array(GREY, "float32")), axis=-1, keepdims=True)
