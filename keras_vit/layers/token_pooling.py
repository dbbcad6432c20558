"""Reads one embedding from a sequence: a token of it, or the mean."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_vit")
class TokenPooling(keras.layers.Layer):
    """Reduces a sequence to its first token, or to the mean of its patches.

    Args:
        mode: `"token"` (the first token) or `"gap"` (the mean over what follows the prefix).
        num_prefix_tokens: int, tokens at the front that are no patches: class token, registers.

    Call arguments:
        x: `(batch, length, hidden_dim)`.

    Returns:
        `(batch, hidden_dim)`.
    """

    def __init__(self, mode="token", num_prefix_tokens=0, **kwargs):
        super().__init__(**kwargs)
        if mode not in ("token", "gap"):
            raise ValueError(f"Expected mode to be 'token' or 'gap', received {mode!r}.")
        self.mode = mode
        self.num_prefix_tokens = num_prefix_tokens

    def build(self, input_shape):
        pass

    def call(self, x):
        if self.mode == "gap":
            return ops.mean(x[:, self.num_prefix_tokens :], axis=1)
        # Slice and reshape: `x[:, 0]` would leave the mobile delegate.
        return ops.reshape(x[:, :1], (-1, x.shape[-1]))

    def compute_output_shape(self, input_shape):
        return (input_shape[0], input_shape[-1])

    def get_config(self):
        return {
            **super().get_config(),
            "mode": self.mode,
            "num_prefix_tokens": self.num_prefix_tokens,
        }
