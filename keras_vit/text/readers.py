"""Feeds tokens to a model one at a time and returns the logits of the next."""

import keras
import numpy as np

from keras_vit.errors import InputError
from keras_vit.models.char_rnn import is_recurrent, step_model, zero_states


def reader_of(model: keras.Model):
    """Returns a reader of tokens for a model: `StepReader` for a recurrent one, else `WindowReader`."""
    if any(isinstance(layer, keras.layers.Bidirectional) for layer in model.layers):
        raise InputError(
            "A bidirectional model cannot generate text: its backward half reads what follows a character, "
            "which does not exist yet. Train with bidirectional=false."
        )
    return StepReader(model) if is_recurrent(model) else WindowReader(model)


class StepReader:
    """Reads with the states of a recurrent model: each character is computed once."""

    def __init__(self, model):
        self.model = step_model(model)

    def begin(self, batch_size):
        """Forgets what was read."""
        self.states = zero_states(self.model, batch_size)

    def read(self, tokens: np.ndarray) -> np.ndarray:
        """Reads int32 tokens `(batch,)`; returns float64 logits `(batch, vocabulary_size)` of the next."""
        logits, *self.states = self.model.predict_on_batch([keras.ops.array(tokens, "int32"), *self.states])
        self.states = [keras.ops.array(state) for state in self.states]
        return np.asarray(logits, "float64")


class WindowReader:
    """Reads the last characters again for each character, as many as fit into the model's window."""

    def __init__(self, model):
        self.model = model
        self.window = model.input_shape[1]

    def begin(self, batch_size):
        """Forgets what was read."""
        self.tokens = np.zeros((batch_size, 0), "int32")

    def read(self, tokens):
        """As `StepReader.read`."""
        self.tokens = np.concatenate([self.tokens, tokens[:, None]], axis=1)[:, -self.window :]
        length = self.tokens.shape[1]
        filled = np.pad(self.tokens, ((0, 0), (0, self.window - length)))
        return np.asarray(self.model.predict_on_batch(filled)[:, length - 1], "float64")
