"""One step of each kind of recurrent layer, in operators that a phone runs without a loop."""

import keras
import numpy as np
import tensorflow as tf

from keras_vit.errors import InputError
from keras_vit.export.mobile.pending import as_float64


class RecurrentCell:
    """The weights of a `SimpleRNN`, `LSTM` or `GRU` as `char_rnn` makes them, and the arithmetic of one step.

    The part that comes from the input is computed separately (`project`), so that many steps share one
    product and that of the first layer is a row of a table. Each of `num_states` states is
    `(batch, hidden_dim)`. A layer that reads `backwards` has the same step.
    """

    def __init__(self, layer, backwards=False):
        _check(layer, backwards)
        cell = layer.cell
        kernel, recurrent, bias = map(as_float64, (cell.kernel, cell.recurrent_kernel, cell.bias))
        bias, recurrent_bias = bias if bias.ndim == 2 else (bias, np.zeros_like(bias))
        self.hidden_dim = recurrent.shape[0]
        self.num_states = 2 if isinstance(layer, keras.layers.LSTM) else 1
        self.kernel, self.bias = kernel, bias  # in float64, of the input's product
        self.name = layer.name
        self._advance = _ADVANCES[type(layer)]
        self._kernel, self._bias = variable(kernel), variable(bias)
        self._recurrent, self._recurrent_bias = variable(recurrent), variable(recurrent_bias)
        self.variables = [self._kernel, self._bias, self._recurrent, self._recurrent_bias]

    def project(self, x):
        """Returns what inputs `(rows, inputs)` add to the gates, `(rows, gates)`."""
        with tf.name_scope(self.name):
            return tf.nn.bias_add(tf.matmul(x, self._kernel.value), self._bias.value)

    def advance(self, projected, states):
        """Returns the list of states after one step; the first is the layer's output.

        `projected`, `(batch, gates)`, comes from `project` or from a table.
        """
        with tf.name_scope(self.name):
            recurrent = tf.matmul(states[0], self._recurrent.value)
            recurrent = tf.nn.bias_add(recurrent, self._recurrent_bias.value)
            return self._advance(projected, recurrent, states)


def _simple(projected, recurrent, states):
    return [tf.tanh(projected + recurrent)]


def _lstm(projected, recurrent, states):
    entry, forget, candidate, exit_ = tf.split(projected + recurrent, 4, axis=1)
    carry = tf.sigmoid(forget) * states[1] + tf.sigmoid(entry) * tf.tanh(candidate)
    return [tf.sigmoid(exit_) * tf.tanh(carry), carry]


def _gru(projected, recurrent, states):
    from_input = tf.split(projected, 3, axis=1)
    from_state = tf.split(recurrent, 3, axis=1)
    update = tf.sigmoid(from_input[0] + from_state[0])
    reset = tf.sigmoid(from_input[1] + from_state[1])
    candidate = tf.tanh(from_input[2] + reset * from_state[2])
    return [candidate + update * (states[0] - candidate)]


_ADVANCES = {keras.layers.SimpleRNN: _simple, keras.layers.LSTM: _lstm, keras.layers.GRU: _gru}


def _check(layer, backwards):
    if type(layer) not in _ADVANCES:
        raise InputError(
            f"Expected recurrent layers, received {layer.name!r}, a {type(layer).__name__}. Build the model "
            "with keras_vit.models.char_rnn."
        )
    usual = layer.activation is keras.activations.tanh and layer.use_bias
    if not isinstance(layer, keras.layers.SimpleRNN):
        usual &= layer.recurrent_activation is keras.activations.sigmoid
    if isinstance(layer, keras.layers.GRU):
        usual &= layer.reset_after
    if not usual or layer.go_backwards != backwards:
        raise InputError(
            f"Expected recurrent layer {layer.name!r} with Keras's usual activations, a bias and, of a GRU, "
            "reset_after, reading forwards. Build the model with keras_vit.models.char_rnn."
        )


def variable(array):
    """Returns an array as a weight that is not trained."""
    return keras.Variable(array.astype("float32"), trainable=False, dtype="float32")
