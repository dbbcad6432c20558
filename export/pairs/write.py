"""Writes a model of pairs of texts as SavedModel or TFLite file, with two signatures.

`encode` takes `source`, int32 `(batch, max_source)`, filled up with 0, and returns `memory` `(batch,
max_source, hidden_dim)`, `mask` `(batch, max_source)` and `state_0` (of an LSTM `state_1` too) `(batch,
hidden_dim)`. `step` takes `token`, int32 `(batch,)`, at first 0, with all of these; it returns `logits`
`(batch, vocabulary_size)` of the next token, and the states under the same names. In a TFLite file the batch
is one.
"""

import functools
from pathlib import Path

import keras
import tensorflow as tf

from keras_vit.export.pairs.form import PairForm
from keras_vit.export.text.description import PairDescription
from keras_vit.export.text.write import in_order, state_specs, write_signatures


def write_pair_model(model: keras.Model, description: PairDescription, variant: str, path: Path) -> None:
    """Writes the file of a variant."""
    form = PairForm(model)
    write_signatures(form, functools.partial(signatures, form), description, variant, path)


def signatures(form: PairForm, batch: int | None):
    """Returns the signatures of a form by name, for a batch of this size or, with None, of any."""
    specs = state_specs(form, batch)

    @tf.function
    def encode(source):
        memory, mask, states = form.encode(source)
        return {"memory": memory, "mask": mask, **dict(zip(specs, states, strict=True))}

    @tf.function
    def step(token, memory, mask, **states):
        logits, after = form.step(token, memory, mask, in_order(states))
        return {"logits": logits, **dict(zip(specs, after, strict=True))}

    spec, length = tf.TensorSpec, form.max_source
    read = {
        "memory": spec((batch, length, form.hidden_dim), tf.float32, "memory"),
        "mask": spec((batch, length), tf.float32, "mask"),
    }
    return {
        "encode": encode.get_concrete_function(spec((batch, length), tf.int32, "source")),
        "step": step.get_concrete_function(spec((batch,), tf.int32, "token"), **read, **specs),
    }
