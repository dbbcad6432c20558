"""A character model as functions: `score` for a window, and `step` for one character and a state."""

import keras
import tensorflow as tf

from keras_vit.errors import InputError
from keras_vit.export.mobile import mobile_form
from keras_vit.export.mobile.pending import as_float64
from keras_vit.export.model.precision import in_float32
from keras_vit.export.text.cells import RecurrentCell, variable
from keras_vit.models.char_rnn import is_recurrent

INACTIVE = (keras.layers.InputLayer, keras.layers.Dropout)


def text_form(model: keras.Model, on_phone: bool = True) -> "RecurrentForm | WindowForm":
    """Returns the functions of a trained `char_rnn` that reads in one direction, or of a model with a window.

    Both forms compute in float32 and have `vocabulary_size`, `states` (a list of `tf.TensorSpec`s without the
    batch axis; zeros at the start of a text), `variables`, `score(tokens)` and `step(token, states)`. On a
    phone a form has the operators that suit it, for a batch of one; elsewhere it takes any batch.
    """
    shapes = [tensor.shape for tensor in (*model.inputs, *model.outputs)]
    if [len(shape) for shape in shapes] != [2, 3]:
        raise InputError(f"Expected a model from characters to logits, received {model.name!r}.")
    if any(isinstance(layer, keras.layers.Bidirectional) for layer in model.layers):
        raise InputError(
            f"Expected a character model that reads in one direction, received {model.name!r}, which is "
            "bidirectional: it has no state to hand over. Train with bidirectional=false."
        )
    model = in_float32(model)
    model = keras.Model(model.inputs[0], model.outputs[0], name=model.name)  # a run's has lists of one
    if is_recurrent(model):
        return RecurrentForm(model)
    if model.input_shape[1] is None:
        raise InputError(
            f"Expected a window of a fixed number of characters, received the inputs {model.input_shape} of "
            f"{model.name!r}. Build it with keras.Input((length,)), or with keras_vit.models.char_rnn."
        )
    return WindowForm(model, on_phone)


class RecurrentForm:
    """A `char_rnn`: embedding and first input product are one table, with a row per character."""

    def __init__(self, model):
        embedding, *layers, head = _active_layers(model)
        self.cells = [RecurrentCell(layer) for layer in layers]
        first = self.cells[0]
        self.table = variable(as_float64(embedding.embeddings) @ first.kernel + first.bias)
        self.head = [variable(as_float64(head.kernel)), variable(as_float64(head.bias))]
        self.names = embedding.name, head.name
        self.vocabulary_size = head.units
        self.states = [
            tf.TensorSpec((cell.hidden_dim,), tf.float32)
            for cell in self.cells
            for _ in range(cell.num_states)
        ]
        self.variables = [self.table, *self.head, *(v for cell in self.cells for v in cell.variables)]

    def step(self, token, states):
        """Reads tokens `(batch,)`; returns logits `(batch, vocabulary_size)` and a list of states."""
        x, after, states = None, [], list(states)
        for cell in self.cells:
            projected = self._look_up(token) if x is None else cell.project(x)
            states, before = states[cell.num_states :], states[: cell.num_states]
            after += cell.advance(projected, before)
            x = after[-cell.num_states]
        return self._logits(x), after

    def score(self, tokens):
        """Returns the logits of a text that starts here, `(batch, length, vocabulary_size)`."""
        batch, length = tf.shape(tokens)[0], tokens.shape[1]
        x = None
        for cell in self.cells:
            projected = self._look_up(tokens) if x is None else _by_rows(cell.project, x)
            x = _run(cell, tf.unstack(projected, length, axis=1), batch)
        return _by_rows(self._logits, x)

    def _look_up(self, tokens):
        with tf.name_scope(self.names[0]):
            return tf.gather(self.table.value, tokens)

    def _logits(self, x):
        kernel, bias = self.head
        with tf.name_scope(self.names[1]):
            return tf.nn.bias_add(tf.matmul(x, kernel.value), bias.value)


def _active_layers(model):
    layers = [layer for layer in model.layers if not isinstance(layer, INACTIVE)]
    usual = isinstance(layers[0], keras.layers.Embedding) and type(layers[-1]) is keras.layers.Dense
    if not usual or layers[-1].activation is not keras.activations.linear:
        raise InputError(
            f"Expected an embedding, recurrent layers and a dense layer for the logits in {model.name!r}. "
            "Build the model with keras_vit.models.char_rnn."
        )
    return layers


def _by_rows(function, x):
    rows = function(tf.reshape(x, (-1, x.shape[2])))
    return tf.reshape(rows, (-1, x.shape[1], rows.shape[1]))


def _run(cell, projected, batch):
    states, outputs = [tf.zeros((batch, cell.hidden_dim))] * cell.num_states, []
    for one in projected:
        states = cell.advance(one, states)
        outputs.append(states[0])
    return tf.stack(outputs, axis=1)


class WindowForm:
    """A `char_transformer` or a model of the user's own. Its state is the last characters and their number.

    It reads its whole window again for each character: where the window moves, every character gets another
    position.
    """

    def __init__(self, model, on_phone):
        self.length = model.input_shape[1]
        self.vocabulary_size = model.output_shape[2]
        self.states = [tf.TensorSpec((self.length,), tf.int32), tf.TensorSpec((), tf.int32)]
        compute = mobile_form(model) if on_phone else model
        self.variables = compute.variables
        # A separate function, which `generate` calls many times without repeating its constants.
        self.score = tf.function(compute)

    def step(self, token, states):
        """Reads tokens `(batch,)`; returns logits `(batch, vocabulary_size)` and a list of states."""
        tokens, count = states
        moved = tf.concat([tokens[:, 1:], tokens[:, :1]], axis=1)
        tokens = tf.where((count < self.length)[:, None], tokens, moved)
        place = tf.minimum(count, self.length - 1)
        here = tf.range(self.length)[None] == place[:, None]
        tokens = tf.where(here, token[:, None], tokens)
        logits = tf.reduce_sum(self.score(tokens) * tf.cast(here, tf.float32)[..., None], axis=1)
        return logits, [tokens, place + 1]
