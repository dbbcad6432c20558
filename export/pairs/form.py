"""A `char_seq2seq` as functions: `encode` for a source, and `step` for one character of its target."""

import keras
import tensorflow as tf

from keras_vit.errors import InputError
from keras_vit.export.mobile.pending import as_float64
from keras_vit.export.model.precision import in_float32
from keras_vit.export.text.cells import RecurrentCell, variable
from keras_vit.models.char_seq2seq import first_state_layers, is_seq2seq

HIDDEN = -1e9  # added to the score of what is no character


class PairForm:
    """The functions of a trained `char_seq2seq` in float32, in operators that a phone runs without a loop.

    An embedding and the first product of the layer that reads it are one table, with a row per character.
    `states` is a list of `tf.TensorSpec`s of the decoder without the batch axis; `max_source` is the length
    of a source.
    """

    def __init__(self, model: keras.Model):
        if not is_seq2seq(model) or model.inputs[0].shape[1] is None:
            raise InputError(
                f"Expected a char_seq2seq with a source_length, received {model.name!r}. Build it with "
                "keras_vit.models.char_seq2seq(source_length=..., ...)."
            )
        layers = {layer.name: layer for layer in in_float32(model).layers}
        self.max_source = model.inputs[0].shape[1]
        encoder, source = layers["encoder"], layers["source_embedding"]
        self.forwards = RecurrentCell(encoder.forward_layer)
        self.backwards = RecurrentCell(encoder.backward_layer, backwards=True)
        self.decoder = RecurrentCell(layers["decoder"])
        cells = (self.forwards, self.backwards, self.decoder)
        embeddings = (source, source, layers["target_embedding"])
        self.tables = [_table(*pair) for pair in zip(embeddings, cells, strict=True)]
        self.first_states = [_Dense(layer) for layer in first_state_layers(layers)]
        self.memory, self.combination, self.head = (
            _Dense(layers[name]) for name in ("memory", "combination", "head")
        )
        self.query = variable(as_float64(layers["query"].kernel))
        attention = layers["attention"]
        self.is_additive = isinstance(attention, keras.layers.AdditiveAttention)
        self.scale = variable(as_float64(attention.scale))
        self.vocabulary_size, self.hidden_dim = layers["head"].units, layers["memory"].units
        self.states = [
            tf.TensorSpec((self.decoder.hidden_dim,), tf.float32) for _ in range(self.decoder.num_states)
        ]
        owners = (*cells, *self.first_states, self.memory, self.combination, self.head)
        own = (variable for owner in owners for variable in owner.variables)
        self.variables = [*self.tables, self.query, self.scale, *own]

    def encode(self, source):
        """Reads sources `(batch, max_source)`; returns `memory`, `mask` and the first states.

        Their shapes are those of `keras_vit.models.seq2seq_encoder`.
        """
        mask = tf.cast(tf.not_equal(source, 0), tf.float32)
        columns = [tf.split(x, self.max_source, axis=1) for x in (mask, 1.0 - mask)]
        columns = list(zip(*columns, strict=True))
        ahead, last = self._run(self.forwards, self.tables[0], source, columns)
        back, first = self._run(self.backwards, self.tables[1], source, columns, reverse=True)
        read = tf.stack([tf.concat(pair, axis=1) for pair in zip(ahead, back, strict=True)], axis=1)
        rows = self.memory(tf.reshape(read, (-1, read.shape[2])))
        memory = tf.reshape(rows, (-1, self.max_source, self.hidden_dim)) * mask[..., None]
        both = zip(self.first_states, last, first, strict=True)
        states = [tf.tanh(dense(tf.concat([a, b], axis=1))) for dense, a, b in both]
        return memory, mask, states

    def step(self, token, memory, mask, states):
        """Reads tokens `(batch,)`; returns logits `(batch, vocabulary_size)` and a list of states."""
        with tf.name_scope("target_embedding"):
            projected = tf.gather(self.tables[2].value, token)
        after = self.decoder.advance(projected, list(states))
        with tf.name_scope("attention"):
            found = self._attend(after[0], memory, mask)
        x = tf.tanh(self.combination(tf.concat([after[0], found], axis=1)))
        return self.head(x), after

    def _attend(self, state, memory, mask):
        query = tf.matmul(state, self.query.value)[:, None]
        if self.is_additive:
            scores = tf.reduce_sum(self.scale.value * tf.tanh(query + memory), axis=2)
        else:
            scores = tf.reduce_sum(query * memory, axis=2) * self.scale.value
        shares = tf.nn.softmax(scores + HIDDEN * (1.0 - mask))
        return tf.reduce_sum(shares[..., None] * memory, axis=1)

    def _run(self, cell, table, source, columns, reverse=False):
        """Returns the outputs at each place and the last states; what is no character changes no state."""
        with tf.name_scope("source_embedding"):
            projected = tf.unstack(tf.gather(table.value, source), self.max_source, axis=1)
        states = [tf.zeros((tf.shape(source)[0], cell.hidden_dim))] * cell.num_states
        outputs = [None] * self.max_source
        for place in reversed(range(self.max_source)) if reverse else range(self.max_source):
            moves, stays = columns[place]
            after = cell.advance(projected[place], states)
            states = [moves * new + stays * old for new, old in zip(after, states, strict=True)]
            outputs[place] = states[0]
        return outputs, states


def _table(embedding, cell):
    return variable(as_float64(embedding.embeddings) @ cell.kernel + cell.bias)


class _Dense:
    """A dense layer, without its activation."""

    def __init__(self, layer):
        self.name = layer.name
        self.variables = [variable(as_float64(layer.kernel)), variable(as_float64(layer.bias))]

    def __call__(self, x):
        kernel, bias = self.variables
        with tf.name_scope(self.name):
            return tf.nn.bias_add(tf.matmul(x, kernel.value), bias.value)
