"""Writes a SavedModel that TensorFlow serves without Keras and without this package."""

import keras
import tensorflow as tf

from keras_vit.errors import ConditionError, first_line
from keras_vit.export.images.rollout import rollout
from keras_vit.export.model.function import ModelFunction
from keras_vit.export.saved_model.decode import decode
from keras_vit.io.preprocessing import Preprocessing
from keras_vit.layers import TransformerEncoder

TOP = 5


def write_saved_model(
    function: ModelFunction,
    path,
    pixels=False,
    photos=False,
    label_names=None,
    classes=None,
    attention=False,
    preprocessing=None,
):
    """Writes a `ModelFunction` as SavedModel for any batch, and for any size where the model takes any.

    `serving_default` takes the inputs and returns the outputs of the function, by name. With `pixels` its one
    input, an image, is uint8. With `photos` there is also `serve_encoded`, which takes `encoded`, strings
    `(batch,)` of JPEG, PNG, WebP, BMP or GIF bytes, decodes them and prepares them as a `Preprocessing` says,
    by default stretches them to the model's size. With label names there is a function `label_names`, and
    both signatures also return, of an output `classes`, `class_indices` `(batch, k)` and `labels`
    `(batch, k)`, best first, with k the smaller of 5 and the number of classes. With `attention`, a third one
    returns `attention` `(batch, rows, columns)`, the rollout.
    """
    specs = {
        t.name: tf.TensorSpec((None, *t.shape), "uint8" if pixels else t.dtype, t.name)
        for t in function.open_inputs
    }

    def answer(tensors):
        outputs = function(tensors)
        return outputs | (_best(outputs[classes], label_names) if classes and label_names else {})

    signatures = {"serving_default": traced(lambda **tensors: answer(tensors), **specs)}
    if photos:
        signatures["serve_encoded"] = _serve_encoded(function, answer, preprocessing)
    if attention:
        signatures["attention"] = _attention_function(function)

    @tf.function(input_signature=[])
    def names_function():
        return tf.constant(list(label_names))

    save(function, path, signatures, functions={"label_names": names_function} if label_names else None)


def _best(scores, names):
    _, indices = tf.math.top_k(scores, k=min(TOP, len(names)))
    return {"class_indices": indices, "labels": tf.gather(tf.constant(list(names)), indices)}


def _serve_encoded(function, answer, preprocessing):
    (image,) = function.inputs
    *size, channels = image.shape
    prepare = preprocessing or Preprocessing.of("stretch", size)

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string, "encoded")])
    def serve_encoded(encoded):
        images = tf.map_fn(
            lambda data: decode(data, prepare, channels), encoded, fn_output_signature=tf.uint8
        )
        return answer({image.name: tf.reshape(images, (-1, *size, channels))})

    return serve_encoded


def _attention_function(function):
    (images,), model = function.inputs, function.model
    encoder = next(layer for layer in model.layers if isinstance(layer, TransformerEncoder))
    before = keras.Model(model.inputs[0], encoder.input)

    @tf.function(input_signature=[tf.TensorSpec((None, *images.shape), tf.uint8, images.name)])
    def attention(images):
        tokens = before(tf.cast(images, tf.float32), training=False)
        _, scores = encoder(tokens, training=False, return_attention_scores=True)
        return {"attention": rollout(model, scores)}

    return attention


def traced(function, **specs):
    """Returns a concrete function of tensors by name; a model whose code fails is a ConditionError."""
    try:
        return tf.function(function).get_concrete_function(**specs)
    except Exception as error:  # tracing runs the layers' own code, which may raise anything
        raise ConditionError(f"TensorFlow cannot save this model: {first_line(error)}") from error


def save(owner, path, signatures, functions=None):
    """Writes `tf.function`s by name as a SavedModel that owns the variables of `owner`: each is stored once.

    `functions` are those of the loaded SavedModel that are no signatures. A model that TensorFlow cannot
    write, or a full disk, is a ConditionError.
    """
    module = tf.Module()
    module.model_variables = [variable.value for variable in owner.variables]
    for name, function in {**signatures, **(functions or {})}.items():
        setattr(module, name, function)
    try:
        tf.saved_model.save(module, str(path), signatures=signatures)
    except Exception as error:  # tracing runs the layers' own code, which may raise anything
        raise ConditionError(f"TensorFlow cannot save this model: {first_line(error)}") from error
