"""Puts a learned token in front of a sequence."""

from typing import Unpack

import keras
from keras import ops

from keras_vit.constraints import checked
from keras_vit.layers._configured_layer import ConfiguredLayer
from keras_vit.layers._masks import with_added_tokens
from keras_vit.layers._options import LayerOptions


@keras.saving.register_keras_serializable(package="keras_vit")
class ClassToken(ConfiguredLayer):
    """Puts one learned token in front of each sequence; the class is read from it at the end.

    Call arguments:
        x: `(batch, length, hidden_dim)`.

    Returns:
        `(batch, 1 + length, hidden_dim)`.

    Example:
        >>> tuple(ClassToken()(ops.ones((2, 5, 12))).shape)
        (2, 6, 12)

    Reference: Dosovitskiy et al. 2021, equation 1, https://arxiv.org/abs/2010.11929
    """

    @checked
    def __init__(self, **options: Unpack[LayerOptions]) -> None:
        super().__init__(locals())

    def build(self, input_shape):
        self.token = self.add_weight(shape=(1, 1, input_shape[-1]), initializer="zeros", name="token")

    def call(self, x):
        token = ops.cast(self.token, x.dtype)
        # Broadcasting by addition keeps the batch symbolic without asking for its run-time shape.
        token = ops.zeros_like(x[:, :1]) + token
        return ops.concatenate([token, x], axis=1)

    def compute_mask(self, x, previous_mask=None):
        return with_added_tokens(previous_mask, 1)

    def compute_output_shape(self, input_shape):
        batch, length, hidden_dim = input_shape
        return (batch, None if length is None else length + 1, hidden_dim)
