"""One block of a transformer: attention and MLP, each on a residual branch."""

from typing import Unpack

import keras

import keras_vit.keras_internals as keras_internals  # as a module: importing Keras there imports the layers
from keras_vit.constraints import checked
from keras_vit.layers._configured_layer import ConfiguredLayer
from keras_vit.layers._layer_seeds import layer_seeds
from keras_vit.layers._masks import merged_mask
from keras_vit.layers._options import BlockLayerOptions, Count, Width
from keras_vit.layers._tokenwise import tokenwise
from keras_vit.layers.drop_path import DropPath
from keras_vit.layers.layer_scale import LayerScale
from keras_vit.layers.mlp import MLP
from keras_vit.layers.self_attention import SelfAttention, scores_spec


@keras.saving.register_keras_serializable(package="keras_vit")
class TransformerBlock(ConfiguredLayer):
    """Self-attention and MLP, each on a residual branch with layer normalization.

    Args:
        num_heads: int, must divide the hidden size.
        mlp_dim: int, hidden size of the MLP.
        **options: see `BlockOptions`. Also `rotary` (dict or None) and `causal` (bool), as in
            `SelfAttention`, and `seed` (int or None), of all that is random.

    Call arguments:
        x: `(batch, length, hidden_dim)`.
        attention_mask, mask: as in `SelfAttention`.
        return_attention_scores: bool.

    Returns:
        Like `x`; with `return_attention_scores` also `(batch, num_heads, length, length)`.

    Raises:
        InputError: an unknown option or one out of range; `num_heads` does not divide the hidden size.

    Example:
        >>> block = TransformerBlock(num_heads=3, mlp_dim=24, layer_scale=1e-4)
        >>> block.mlp.trainable = False
        >>> tuple(block(keras.ops.ones((2, 5, 12))).shape)
        (2, 5, 12)

    Reference: https://arxiv.org/abs/2010.11929, equations 2 and 3
    """

    @checked
    def __init__(self, num_heads: Count, mlp_dim: Width, **options: Unpack[BlockLayerOptions]) -> None:
        super().__init__(locals())
        seeds, inner_norm = layer_seeds(self.seed), self.inner_norm
        self.attention_norm = self._norm("attention_norm")
        self.attention = self._inner(
            SelfAttention, "attention", inner_norm=inner_norm == "both", seed=next(seeds)
        )
        self.mlp_norm = self._norm("mlp_norm")
        self.mlp = self._inner(MLP, "mlp", inner_norm=inner_norm is not None, seed=next(seeds))
        self.attention_scale = self._scale("attention_scale")
        self.mlp_scale = self._scale("mlp_scale")
        self.drop_path = self._inner(DropPath, "drop_path", rate=self.drop_path_rate, seed=next(seeds))

    def build(self, input_shape):
        for layer in keras_internals.child_layers(self):
            layer.build(input_shape)

    def call(
        self,
        x,
        attention_mask=None,
        mask=None,
        x_mask=None,
        training=False,
        return_attention_scores=False,
    ):
        before, after = (tokenwise, _as_is) if self.norm_first else (_as_is, tokenwise)
        mixed, scores = self.attention(
            before(self.attention_norm, x),
            attention_mask=merged_mask(x, self.num_heads, attention_mask, mask, x_mask),
            training=training,
            return_attention_scores=True,
        )
        x = x + self.drop_path(self.attention_scale(mixed), training=training)
        x = after(self.attention_norm, x)
        y = self.mlp(before(self.mlp_norm, x), training=training)
        x = x + self.drop_path(self.mlp_scale(y), training=training)
        x = after(self.mlp_norm, x)
        return (x, scores) if return_attention_scores else x

    def compute_output_spec(self, x, *masks, return_attention_scores=False, **kwargs):
        output = keras.KerasTensor(x.shape, self.compute_dtype)
        return (output, scores_spec(self, x)) if return_attention_scores else output

    def _scale(self, name):
        if self.layer_scale is None:
            return keras.layers.Identity(name=name, dtype=self.dtype_policy)
        return LayerScale(self.layer_scale, name=name, dtype=self.dtype_policy)


def _as_is(layer, x):
    return x
