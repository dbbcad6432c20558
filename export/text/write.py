"""Writes a character model as SavedModel or TFLite file, with three signatures.

`score` takes `tokens`, int32 `(batch, window)`, and returns `logits` `(batch, window, vocabulary_size)`.
`step` takes `token`, int32 `(batch,)`, and `state_0`, `state_1` and so on, zeros at the start of a text; it
returns `logits` `(batch, vocabulary_size)` of the next token, and the states under the same names.
`generate` takes the inputs of `step`, `noise` `(batch, count, vocabulary_size)`, `temperature` `(1,)` and
`top_k`, int32 `(1,)`; it returns `tokens`, int32 `(batch, count)`, and the states after all but the last
of them. In a TFLite file the batch is one.
"""

import functools
from pathlib import Path

import keras
import tensorflow as tf

from keras_vit.export.saved_model.write import save
from keras_vit.export.text.description import TextDescription
from keras_vit.export.text.form import text_form
from keras_vit.export.text.sample import generate
from keras_vit.export.tflite.convert import convert
from keras_vit.export.variants import VARIANTS


def write_text_model(
    model: keras.Model, description: TextDescription, count: int, variant: str, path: Path
) -> None:
    """Writes the file of a variant, whose `generate` writes `count` characters at once."""
    form = text_form(model, on_phone=VARIANTS[variant].is_tflite)
    signatures = functools.partial(_signatures, form, description, count)
    write_signatures(form, signatures, description, variant, path)


def write_signatures(form, signatures, description, variant, path):
    """Writes a SavedModel for any batch, or a TFLite file of builtin operators, one subgraph per signature.

    `signatures` is a function of the size of the batch, or None.
    """
    if VARIANTS[variant].is_tflite:
        convert(form, signatures(1), path, VARIANTS[variant].converter)
    else:
        save(form, path, signatures(None))
    description.write_into(path)


def step_function(form, batch: int | None):
    """Returns the signature `step` of a form, for a batch of this size or, with None, of any."""

    @tf.function
    def step(token, **states):
        logits, after = form.step(token, in_order(states))
        return {"logits": logits, **dict(zip(states, after, strict=True))}

    return step.get_concrete_function(_token(batch), **state_specs(form, batch))


def _signatures(form, description, count, batch):
    @tf.function
    def score(tokens):
        return {"logits": form.score(tokens)}

    @tf.function
    def write(token, noise, temperature, top_k, **states):
        unknown = description.vocabulary.unknown_token
        tokens, after = generate(form, token, noise, temperature, top_k, in_order(states), unknown)
        return {"tokens": tokens, **dict(zip(states, after, strict=True))}

    spec = tf.TensorSpec
    sampling = {
        "noise": spec((batch, count, form.vocabulary_size), tf.float32, "noise"),
        "temperature": spec((1,), tf.float32, "temperature"),
        "top_k": spec((1,), tf.int32, "top_k"),
    }
    return {
        "score": score.get_concrete_function(spec((batch, description.window), tf.int32, "tokens")),
        "step": step_function(form, batch),
        "generate": write.get_concrete_function(_token(batch), **sampling, **state_specs(form, batch)),
    }


def _token(batch):
    return tf.TensorSpec((batch,), tf.int32, "token")


def state_specs(form, batch):
    """Returns a dict from `state_0` and so on to the `tf.TensorSpec`s of a form's states, with the batch."""
    names = [f"state_{index}" for index in range(len(form.states))]
    return {
        name: tf.TensorSpec((batch, *state.shape), state.dtype, name)
        for name, state in zip(names, form.states, strict=True)
    }


def in_order(states):
    """Returns a list of states of a dict by name."""
    return [states[f"state_{index}"] for index in range(len(states))]
