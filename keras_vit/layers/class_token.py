"""Puts a learned token in front of a sequence."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_vit")
class ClassToken(keras.layers.Layer):
    """Puts one learned token in front of each sequence, from which the class is read at the end.

    Call arguments:
        x: `(batch, length, hidden_dim)`.

    Returns:
        `(batch, 1 + length, hidden_dim)`.

    Reference: Dosovitskiy et al. 2021, equation 1, https://arxiv.org/abs/2010.11929
    """

    def build(self, input_shape):
        self.token = self.add_weight(shape=(1, 1, input_shape[-1]), initializer="zeros", name="token")

    def call(self, x):
        token = ops.cast(self.token, x.dtype)
        # Broadcasting by addition keeps the batch symbolic without asking for its run-time shape.
        token = ops.zeros_like(x[:, :1]) + token
        return ops.concatenate([token, x], axis=1)

    def compute_output_shape(self, input_shape):
        batch, length, hidden_dim = input_shape
        return (batch, None if length is None else length + 1, hidden_dim)
