"""Reads one embedding from a sequence: a token of it, the mean, or both."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_vit")
class TokenPooling(keras.layers.Layer):
    """Reduces a sequence to one of its first tokens, to the mean of its patches, or to both.

    Args:
        mode: `"token"` (one token), `"gap"` (the mean over what follows the prefix) or `"token_gap"`
            (the token, then the mean).
        num_prefix_tokens: int, tokens at the front that are no patches: class token, registers.
        index: int, which token is read; the first by default.

    Call arguments:
        x: `(batch, length, hidden_dim)`.

    Returns:
        `(batch, hidden_dim)`; for `"token_gap"` `(batch, 2 * hidden_dim)`.

    Raises:
        ValueError: an unknown mode, or a sequence that has no such token or nothing behind the prefix.

    Reference: token and mean: Dosovitskiy et al. 2021, appendix D.3, https://arxiv.org/abs/2010.11929; both:
        Oquab et al. 2024, https://arxiv.org/abs/2304.07193
    """

    def __init__(self, mode="token", num_prefix_tokens=0, index=0, **kwargs):
        super().__init__(**kwargs)
        if mode not in ("token", "gap", "token_gap"):
            raise ValueError(f"Expected mode to be 'token' or 'gap' or 'token_gap', received {mode!r}.")
        self.mode = mode
        self.num_prefix_tokens = num_prefix_tokens
        self.index = index

    def build(self, input_shape):
        length = input_shape[1]
        read = [self.index] * ("token" in self.mode) + [self.num_prefix_tokens] * ("gap" in self.mode)
        if min(read) < 0 or length is not None and max(read) >= length:
            raise ValueError(
                f"Expected index={self.index} and num_prefix_tokens={self.num_prefix_tokens} to be 0 or more "
                f"and to leave something to read, received a sequence of {length} tokens."
            )

    def call(self, x):
        if self.mode == "gap":
            return self._mean(x)
        # Slice and reshape: `x[:, 0]` would leave the mobile delegate.
        token = ops.reshape(x[:, self.index : self.index + 1], (-1, x.shape[-1]))
        return token if self.mode == "token" else ops.concatenate([token, self._mean(x)], axis=-1)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], input_shape[-1] * (2 if self.mode == "token_gap" else 1))

    def get_config(self):
        return {
            **super().get_config(),
            "mode": self.mode,
            "num_prefix_tokens": self.num_prefix_tokens,
            "index": self.index,
        }

    def _mean(self, x):
        return ops.mean(x[:, self.num_prefix_tokens :], axis=1)
