"""Writes a SavedModel that TensorFlow serves without Keras and without this package."""

import errno

import keras
import tensorflow as tf

from keras_vit.errors import ConditionError, first_line
from keras_vit.export.images.app_input import PHOTOS
from keras_vit.export.images.rollout import rollout
from keras_vit.export.saved_model.decode import decode
from keras_vit.export.workers.runner import is_full_disk
from keras_vit.layers import TransformerEncoder

TOP = 5


def write_saved_model(model, label_names, path, attention=False):
    """Writes an `inference_model` as SavedModel with two signatures.

    `serving_default` takes `images`, uint8 `(batch, height, width, channels)` of the model's size;
    `serve_encoded` takes `encoded`, strings `(batch,)` of JPEG, PNG, WebP, BMP or GIF bytes, which it decodes
    and stretches to that size; models of grey or RGB have it. Both return `class_indices` `(batch, k)` and
    `labels` `(batch, k)`, best first, with k the smaller of 5 and the number of classes, and `probabilities`
    `(batch, num_classes)`.
    With `attention`, a third takes `images` and returns `attention` `(batch, rows, columns)`, the rollout.
    """
    height, width, channels = model.input_shape[1:]
    names = tf.constant(list(label_names))
    top = min(TOP, len(label_names))

    def answer(images):
        probabilities = model(tf.cast(images, tf.float32), training=False)
        _, indices = tf.math.top_k(probabilities, k=top)
        return {
            "class_indices": indices,
            "labels": tf.gather(names, indices),
            "probabilities": probabilities,
        }

    @tf.function(input_signature=[tf.TensorSpec((None, height, width, channels), tf.uint8, "images")])
    def serve(images):
        return answer(images)

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string, "encoded")])
    def serve_encoded(encoded):
        images = tf.map_fn(
            lambda data: decode(data, (height, width), channels), encoded, fn_output_signature=tf.uint8
        )
        return answer(tf.reshape(images, (-1, height, width, channels)))

    @tf.function(input_signature=[])
    def names_function():
        return names

    signatures = {"serving_default": serve}
    if channels in PHOTOS:
        signatures["serve_encoded"] = serve_encoded
    if attention:
        signatures["attention"] = _attention_function(model)
    save(model, path, signatures, functions={"label_names": names_function})


def _attention_function(model):
    encoder = next(layer for layer in model.layers if isinstance(layer, TransformerEncoder))
    before = keras.Model(model.inputs[0], encoder.input)

    @tf.function(input_signature=[tf.TensorSpec((None, *model.input_shape[1:]), tf.uint8, "images")])
    def attention(images):
        tokens = before(tf.cast(images, tf.float32), training=False)
        _, scores = encoder(tokens, training=False, return_attention_scores=True)
        return {"attention": rollout(model, scores)}

    return attention


def save(model, path, signatures, functions=None):
    """Writes `tf.function`s by name as a SavedModel that owns the model's variables: each is stored once.

    `functions` are those of the loaded SavedModel that are no signatures. A full disk is an OSError, a model
    that TensorFlow cannot write a ConditionError.
    """
    module = tf.Module()
    module.model_variables = [variable.value for variable in model.variables]
    for name, function in {**signatures, **(functions or {})}.items():
        setattr(module, name, function)
    try:
        tf.saved_model.save(module, str(path), signatures=signatures)
    except Exception as error:  # tracing runs the layers' own code, which may raise anything
        if is_full_disk(str(error)):
            raise OSError(errno.ENOSPC, first_line(error)) from error
        raise ConditionError(f"TensorFlow cannot save this model: {first_line(error)}") from error
