"""Truncated backpropagation through time, with a state that is carried from batch to batch."""

import keras

from keras_vit.models.char_rnn import sequence_model


class CarriedState(keras.Model):
    """A `char_rnn` that starts each training batch with the final states of the batch before.

    In training only: otherwise a text starts with states of zeros, as in the given model, whose layers are
    shared; it is not bidirectional. The states are variables of this model, so that they are saved with a
    run's state; gradients stop at the start of the batch. A functional model has no place for such a state,
    and Keras's `stateful=True` would bind the saved model to a batch size and let validation disturb it.
    """

    def __init__(self, model: keras.Model, batch_size: int):
        super().__init__(model.input, model.output, name=model.name)
        self.sequence = sequence_model(model)
        self.states = [
            self.add_weight(
                (batch_size, x.shape[-1]), "zeros", dtype=x.dtype, trainable=False, name=f"carried_{index}"
            )
            for index, x in enumerate(self.sequence.inputs[1:])
        ]

    def call(self, tokens, training=None, mask=None):
        if not training:
            return super().call(tokens, training=training, mask=mask)
        inputs = [keras.ops.convert_to_tensor(x) for x in (tokens, *self.states)]
        logits, *after = self.sequence(inputs, training=True)
        for state, value in zip(self.states, after, strict=True):
            state.assign(keras.ops.stop_gradient(value))
        return logits

    def reset_states(self):
        """Sets all states to zero."""
        for state in self.states:
            state.assign(keras.ops.zeros(state.shape, dtype=state.dtype))


class ResetStates(keras.callbacks.Callback):
    """Sets the carried states to zero at the end of an epoch, where the text starts again.

    At the end, not at the beginning: a run that resumes within an epoch starts with saved states.
    """

    def on_epoch_end(self, epoch, logs=None):
        self.model.reset_states()
