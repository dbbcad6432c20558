"""Merges the patches of a sequence into a few tokens."""

from typing import Annotated, Unpack

import keras
from keras import ops

from keras_vit.constraints import Range, checked
from keras_vit.errors import InputError
from keras_vit.layers._configured_layer import ConfiguredLayer
from keras_vit.layers._masks import token_mask
from keras_vit.layers._options import Count, Epsilon, LayerOptions
from keras_vit.layers._tokenwise import tokenwise


@keras.saving.register_keras_serializable(package="keras_vit")
class PatchMerger(ConfiguredLayer):
    """Merges all patches into a few tokens, each a weighted mean of them.

    The weights of a mean are a softmax over the patches of the products of a learned query with the
    normalized patches: `softmax(queries @ norm(x).T) @ x`. Tokens before the patches stay as they are.

    Args:
        num_tokens: int, into how many tokens the patches are merged, fewer than there are patches.
        num_prefix_tokens: int, tokens at the front (class token, registers) that are kept.
        epsilon: float, of the layer normalization.

    Call arguments:
        x: `(batch, length, hidden_dim)`.
        mask: bool, `(batch, length)`, False for patches that are left out. Default: the Keras mask of `x`.

    Returns:
        `(batch, num_prefix_tokens + num_tokens, hidden_dim)`.

    Raises:
        InputError: a sequence that has no more patches than `num_tokens`.

    Example:
        >>> tuple(PatchMerger(8, num_prefix_tokens=1)(ops.ones((2, 17, 12))).shape)
        (2, 9, 12)

    Reference: Renggli et al. 2022, section 3, https://arxiv.org/abs/2202.12015
    """

    @checked
    def __init__(
        self,
        num_tokens: Count,
        num_prefix_tokens: Annotated[int, Range(0)] = 0,
        epsilon: Epsilon = 1e-6,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(locals())
        self.norm = self._norm("norm")

    def build(self, input_shape):
        _, length, hidden_dim = input_shape
        if length is not None and length - self.num_prefix_tokens <= self.num_tokens:
            raise InputError(
                f"Expected more than {self.num_tokens} patches to merge into {self.num_tokens} tokens, "
                f"received {max(length - self.num_prefix_tokens, 0)} (after {self.num_prefix_tokens} tokens "
                "that are kept). Merge into fewer tokens."
            )
        self.norm.build((None, hidden_dim))
        self.queries = self.add_weight(
            shape=(self.num_tokens, hidden_dim),
            initializer=keras.initializers.RandomNormal(stddev=hidden_dim**-0.5),  # scores of deviation 1
            name="queries",
        )

    def call(self, x, mask=None):
        kept, patches = x[:, : self.num_prefix_tokens], x[:, self.num_prefix_tokens :]
        queries = ops.transpose(ops.cast(self.queries, x.dtype))
        scores = tokenwise(lambda rows: ops.matmul(rows, queries), tokenwise(self.norm, patches))
        scores = ops.transpose(scores, (0, 2, 1))
        if mask is not None:
            seen = token_mask(x, mask)[:, None, self.num_prefix_tokens :]
            scores = ops.where(seen, scores, ops.cast(-1e9, scores.dtype))
        merged = ops.matmul(ops.softmax(scores, axis=-1), patches)
        return ops.concatenate([kept, merged], axis=1) if self.num_prefix_tokens else merged

    def compute_mask(self, x, previous_mask=None):
        if previous_mask is None:
            return None
        mask = ops.cast(previous_mask, "bool")
        merged = ops.repeat(ops.ones_like(mask[:, :1]), self.num_tokens, axis=1)
        return ops.concatenate([mask[:, : self.num_prefix_tokens], merged], axis=1)

    def compute_output_shape(self, input_shape):
        batch, _, hidden_dim = input_shape
        return (batch, self.num_prefix_tokens + self.num_tokens, hidden_dim)
