"""Reads one embedding from a sequence: a token of it, the mean, or both."""

from typing import Annotated, Unpack

import keras
from keras import ops

from keras_vit.constraints import Choices, checked
from keras_vit.errors import InputError
from keras_vit.layers._configured_layer import ConfiguredLayer
from keras_vit.layers._masks import token_mask
from keras_vit.layers._options import LayerOptions


@keras.saving.register_keras_serializable(package="keras_vit")
class TokenPooling(ConfiguredLayer):
    """Reduces a sequence to one of its first tokens, to the mean of its patches, or to both.

    Args:
        mode: `"token"` (one token), `"gap"` (the mean over what follows the prefix) or `"token_gap"`
            (the token, then the mean).
        num_prefix_tokens: int, tokens at the front that are no patches: class token, registers.
        index: int, which token is read; the first by default.

    Call arguments:
        x: `(batch, length, hidden_dim)`.
        mask: bool, `(batch, length)`, False for tokens that the mean leaves out. Default: the Keras mask of
            `x`.

    Returns:
        `(batch, hidden_dim)`; for `"token_gap"` `(batch, 2 * hidden_dim)`.

    Raises:
        InputError: an unknown mode, or a sequence that has no such token or nothing behind the prefix.

    Example:
        >>> tuple(TokenPooling("gap", num_prefix_tokens=1)(ops.ones((2, 5, 12))).shape)
        (2, 12)

    Reference: token and mean: Dosovitskiy et al. 2021, appendix D.3, https://arxiv.org/abs/2010.11929; both:
        Oquab et al. 2024, https://arxiv.org/abs/2304.07193
    """

    @checked
    def __init__(
        self,
        mode: Annotated[str, Choices("token", "gap", "token_gap")] = "token",
        num_prefix_tokens: int = 0,
        index: int = 0,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(locals())

    def build(self, input_shape):
        length = input_shape[1]
        read = [self.index] * ("token" in self.mode) + [self.num_prefix_tokens] * ("gap" in self.mode)
        if min(read) < 0 or length is not None and max(read) >= length:
            raise InputError(
                f"Expected index={self.index} and num_prefix_tokens={self.num_prefix_tokens} to be 0 or more "
                f"and to leave something to read, received a sequence of {length} tokens."
            )

    def call(self, x, mask=None):
        if self.mode == "gap":
            return self._mean(x, mask)
        # Slice and reshape: `x[:, 0]` would leave the mobile delegate.
        token = ops.reshape(x[:, self.index : self.index + 1], (-1, x.shape[-1]))
        return token if self.mode == "token" else ops.concatenate([token, self._mean(x, mask)], axis=-1)

    def compute_mask(self, x, previous_mask=None):
        return None

    def compute_output_shape(self, input_shape):
        return (input_shape[0], input_shape[-1] * (2 if self.mode == "token_gap" else 1))

    def _mean(self, x, mask):
        if mask is not None:
            mask = token_mask(x, mask)[:, self.num_prefix_tokens :, None]
        x = x[:, self.num_prefix_tokens :]
        if mask is None:
            return ops.mean(x, axis=1)
        read = ops.cast(mask, "float32")
        total = ops.sum(ops.cast(x, "float32") * read, axis=1)
        return ops.cast(total / ops.maximum(ops.sum(read, axis=1), 1), x.dtype)
