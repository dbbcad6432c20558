"""Gives a sequence some learned tokens to compute in."""

from typing import Annotated, Unpack

import keras
from keras import ops

from keras_vit.constraints import Range, checked
from keras_vit.layers._configured_layer import ConfiguredLayer
from keras_vit.layers._masks import with_added_tokens
from keras_vit.layers._options import Count, LayerOptions


@keras.saving.register_keras_serializable(package="keras_vit")
class RegisterTokens(ConfiguredLayer):
    """Inserts learned tokens that carry no patch and are not read at the end.

    Args:
        num_tokens: int, how many.
        num_prefix_tokens: int, tokens at the front (a class token) that stay before them.

    Call arguments:
        x: `(batch, length, hidden_dim)`.

    Returns:
        `(batch, length + num_tokens, hidden_dim)`.

    Raises:
        InputError: no tokens, or a negative prefix.

    Example:
        >>> tuple(RegisterTokens(4, num_prefix_tokens=1)(ops.ones((2, 5, 12))).shape)
        (2, 9, 12)

    Reference: Darcet et al. 2024, https://arxiv.org/abs/2309.16588
    """

    @checked
    def __init__(
        self,
        num_tokens: Count,
        num_prefix_tokens: Annotated[int, Range(0)] = 0,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(locals())

    def build(self, input_shape):
        self.tokens = self.add_weight(
            shape=(1, self.num_tokens, input_shape[-1]),
            initializer=keras.initializers.TruncatedNormal(stddev=0.02),
            name="tokens",
        )

    def call(self, x):
        tokens = ops.zeros_like(x[:, :1]) + ops.cast(self.tokens, x.dtype)
        prefix, rest = x[:, : self.num_prefix_tokens], x[:, self.num_prefix_tokens :]
        return ops.concatenate([prefix, tokens, rest], axis=1)

    def compute_mask(self, x, previous_mask=None):
        return with_added_tokens(previous_mask, self.num_tokens, self.num_prefix_tokens)

    def compute_output_shape(self, input_shape):
        batch, length, hidden_dim = input_shape
        return (batch, None if length is None else length + self.num_tokens, hidden_dim)
