"""Writes a character model as SavedModel or TFLite file, with three signatures.

`score` takes `tokens`, int32 `(batch, window)`, and gives `logits` `(batch, window, vocabulary_size)`.
`step` takes `token`, int32 `(batch,)`, and `state_0`, `state_1` and so on, zeros at the start of a text; it
gives `logits` `(batch, vocabulary_size)` of what follows, and the states under the same names.
`generate` takes the inputs of `step`, `noise` `(batch, count, vocabulary_size)`, `temperature` `(1,)` and
`top_k`, int32 `(1,)`; it gives `tokens`, int32 `(batch, count)`, and the states with all but the last token
read. In a TFLite file the batch is one.
"""

import zipfile

import tensorflow as tf

from keras_vit.export.saved_model.write import save
from keras_vit.export.text.description import NAME
from keras_vit.export.text.form import text_form
from keras_vit.export.text.sample import generate
from keras_vit.export.tflite.convert import convert
from keras_vit.export.variants import VARIANTS


def write_saved_model(model, description, count, path):
    """Writes a SavedModel for any batch.

    Args:
        model: `char_rnn` or `char_transformer`.
        description: `keras_vit.export.text.description.TextDescription`.
        count: int, characters that `generate` writes at once.
        path: Path of the folder; must not exist.

    Raises:
        InputError: a model of another kind.
        ConditionError: TensorFlow cannot write this model.
        OSError: the disk is full.
    """
    form = text_form(model, on_phone=False)
    save(form, path, signatures=_signatures(form, description, count, None))
    extra = path / "assets.extra"
    extra.mkdir()
    (extra / NAME).write_bytes(description.to_bytes())


def write_tflite(model, description, count, variant, path):
    """Writes a TFLite file of builtin operators, one subgraph a signature.

    Args:
        model, description, count: as in `write_saved_model`.
        variant: `"fp32"`, `"fp16"` or `"dynamic_int8"`.
        path: Path of the file.

    Raises:
        InputError: a model of another kind.
        ConditionError: the converter refused the model, crashed, took too long or too much memory.
        OSError: the disk is full.
    """
    form = text_form(model, on_phone=True)
    convert(form, _signatures(form, description, count, 1), path, VARIANTS[variant].converter)
    attach(path, description)


def attach(path, description):
    """Appends the description to a TFLite file, as a zip archive where apps look for associated files."""
    with zipfile.ZipFile(path, "a") as archive:
        entry = zipfile.ZipInfo(NAME)  # with a fixed date: the same model gives the same file
        archive.writestr(entry, description.to_bytes())


def step_function(form, batch):
    """Returns the signature `step` of a form.

    Args:
        form: as `text_form` gives it.
        batch: int, or None for any.
    """

    @tf.function
    def step(token, **states):
        logits, after = form.step(token, _in_order(states))
        return {"logits": logits, **dict(zip(states, after, strict=True))}

    return step.get_concrete_function(_token(batch), **_states(form, batch))


def _signatures(form, description, count, batch):
    @tf.function
    def score(tokens):
        return {"logits": form.score(tokens)}

    @tf.function
    def write(token, noise, temperature, top_k, **states):
        tokens, after = generate(
            form, token, noise, temperature, top_k, _in_order(states), description.unknown_token
        )
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
        "generate": write.get_concrete_function(_token(batch), **sampling, **_states(form, batch)),
    }


def _token(batch):
    return tf.TensorSpec((batch,), tf.int32, "token")


def _states(form, batch):
    names = [f"state_{index}" for index in range(len(form.states))]
    return {
        name: tf.TensorSpec((batch, *state.shape), state.dtype, name)
        for name, state in zip(names, form.states, strict=True)
    }


def _in_order(states):
    return [states[f"state_{index}"] for index in range(len(states))]
