"""Reads one embedding from a sequence by attention."""

from typing import Unpack

import keras
from keras import ops

from keras_vit.constraints import checked
from keras_vit.layers._configured_layer import ConfiguredLayer, build_dense
from keras_vit.layers._masks import token_mask
from keras_vit.layers._options import Activation, Count, DenseLayerOptions, Epsilon, Width
from keras_vit.layers._tokenwise import tokenwise
from keras_vit.layers.mlp import MLP
from keras_vit.layers.self_attention import check_heads


@keras.saving.register_keras_serializable(package="keras_vit")
class AttentionPooling(ConfiguredLayer):
    """A learned query attends to the sequence; an MLP on a residual branch follows ("MAP head").

    Args:
        num_heads: int, must divide the hidden size.
        mlp_dim: int, hidden size of the MLP.
        activation: of the MLP, as in `MLP`.
        epsilon: float, of the layer normalization.
        **options: of the dense layers, as in `SelfAttention`.

    Call arguments:
        x: `(batch, length, hidden_dim)`.
        mask: bool, `(batch, length)`, False for tokens that are left out. Default: the Keras mask of `x`.

    Returns:
        `(batch, hidden_dim)`.

    Raises:
        InputError: `num_heads` does not divide the hidden size.

    Example:
        >>> tuple(AttentionPooling(3, 24)(ops.ones((2, 5, 12))).shape)
        (2, 12)

    Reference: Zhai et al. 2022, appendix A, https://arxiv.org/abs/2106.04560
    """

    @checked
    def __init__(
        self,
        num_heads: Count,
        mlp_dim: Width,
        activation: Activation = "gelu",
        epsilon: Epsilon = 1e-6,
        **options: Unpack[DenseLayerOptions],
    ) -> None:
        super().__init__(locals())
        self.query = self._dense("query")
        self.key_value = self._dense("key_value")
        self.projection = self._dense("projection")
        self.norm = self._norm("norm")
        self.mlp = self._inner(MLP, "mlp")

    def build(self, input_shape):
        hidden_dim = input_shape[-1]
        check_heads(self.num_heads, hidden_dim)
        self.probe = self.add_weight(shape=(1, hidden_dim), initializer="glorot_uniform", name="probe")
        build_dense(self.query, hidden_dim, hidden_dim)
        build_dense(self.key_value, hidden_dim, 2 * hidden_dim)
        build_dense(self.projection, hidden_dim, hidden_dim)
        self.norm.build((None, hidden_dim))
        self.mlp.build((None, 1, hidden_dim))

    def call(self, x, mask=None):
        hidden_dim = x.shape[-1]
        length = x.shape[1] if x.shape[1] is not None else ops.shape(x)[1]
        head_dim = hidden_dim // self.num_heads
        query = self.query(ops.cast(self.probe, x.dtype)) * (head_dim**-0.5)
        query = ops.reshape(query, (1, self.num_heads, 1, head_dim))
        key_value = ops.reshape(tokenwise(self.key_value, x), (-1, length, 2, self.num_heads, head_dim))
        key, value = ops.unstack(ops.transpose(key_value, (2, 0, 3, 1, 4)), 2, axis=0)
        # One query needs no separate matrix product: weight the keys and sum.
        scores = ops.sum(query * key, axis=-1)
        if mask is not None:
            scores = ops.where(token_mask(x, mask)[:, None], scores, ops.cast(-1e9, scores.dtype))
        scores = ops.softmax(scores, axis=-1)
        pooled = ops.sum(ops.expand_dims(scores, -1) * value, axis=2)
        pooled = ops.reshape(pooled, (-1, hidden_dim))
        pooled = self.projection(pooled)
        return pooled + self.mlp(self.norm(pooled))

    def compute_output_shape(self, input_shape):
        return (input_shape[0], input_shape[-1])

    def compute_mask(self, x, previous_mask=None):
        return None
