"""Gives a sequence some learned tokens to compute in."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_vit")
class RegisterTokens(keras.layers.Layer):
    """Inserts learned tokens that carry no patch and are not read at the end.

    Args:
        num_tokens: int, how many.
        num_prefix_tokens: int, tokens at the front (a class token) that stay before them.

    Call arguments:
        x: `(batch, length, hidden_dim)`.

    Returns:
        `(batch, length + num_tokens, hidden_dim)`.

    Raises:
        ValueError: no tokens, or fewer than no prefix.

    Reference: Darcet et al. 2024, https://arxiv.org/abs/2309.16588
    """

    def __init__(self, num_tokens, num_prefix_tokens=0, **kwargs):
        super().__init__(**kwargs)
        if num_tokens < 1 or num_prefix_tokens < 0:
            raise ValueError(
                "Expected num_tokens >= 1 and num_prefix_tokens >= 0, received "
                f"{num_tokens} and {num_prefix_tokens}. Leave the layer out to have no registers."
            )
        self.num_tokens = num_tokens
        self.num_prefix_tokens = num_prefix_tokens

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

    def compute_output_shape(self, input_shape):
        batch, length, hidden_dim = input_shape
        return (batch, None if length is None else length + self.num_tokens, hidden_dim)

    def get_config(self):
        return {
            **super().get_config(),
            "num_tokens": self.num_tokens,
            "num_prefix_tokens": self.num_prefix_tokens,
        }
