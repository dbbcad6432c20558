"""A stack of transformer blocks."""

import keras

from keras_vit.layers._tokenwise import tokenwise
from keras_vit.layers.self_attention import scores_spec
from keras_vit.layers.transformer_block import TransformerBlock


@keras.saving.register_keras_serializable(package="keras_vit")
class TransformerEncoder(keras.layers.Layer):
    """A stack of `TransformerBlock`s and, after pre-norm blocks, a last layer normalisation.

    Args:
        num_layers: int, how many blocks.
        num_heads, mlp_dim, dropout_rate, attention_dropout_rate, layer_scale, qk_norm, qkv_bias,
            key_bias, rotary, activation, inner_norm, epsilon, causal, norm_first, seed: as in
            `TransformerBlock`.
        drop_path_rate: float in [0, 1), of the last block; it rises linearly from 0 at the first.
        final_norm: bool. False leaves out the last layer normalisation.

    Call arguments:
        x: `(batch, length, hidden_dim)`.
        attention_mask: as in `SelfAttention`.
        return_attention_scores: bool.

    Returns:
        Like `x`; with `return_attention_scores` also a list of `num_layers` tensors
        `(batch, num_heads, length, length)`.

    Raises:
        ValueError: `num_heads` does not divide the hidden size, an unknown activation, a rate outside
            its range; no layers.

    Reference: https://arxiv.org/abs/2010.11929, equations 2 to 4
    """

    def __init__(
        self,
        num_layers,
        num_heads,
        mlp_dim,
        dropout_rate=0.0,
        attention_dropout_rate=0.0,
        drop_path_rate=0.0,
        layer_scale=None,
        qk_norm=False,
        qkv_bias=True,
        key_bias=True,
        rotary=None,
        activation="gelu",
        inner_norm=None,
        epsilon=1e-6,
        causal=False,
        norm_first=True,
        final_norm=True,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if num_layers < 1:
            raise ValueError(f"Expected num_layers >= 1, received {num_layers}.")
        if not 0 <= drop_path_rate < 1:
            raise ValueError(f"Expected drop_path_rate at least 0 and below 1, received {drop_path_rate}.")
        self.num_layers = num_layers
        self.num_heads = num_heads
        self.mlp_dim = mlp_dim
        self.dropout_rate = dropout_rate
        self.attention_dropout_rate = attention_dropout_rate
        self.drop_path_rate = drop_path_rate
        self.layer_scale = layer_scale
        self.qk_norm = qk_norm
        self.qkv_bias = qkv_bias
        self.key_bias = key_bias
        self.rotary = rotary
        self.activation = activation
        self.inner_norm = inner_norm
        self.epsilon = epsilon
        self.causal = causal
        self.norm_first = norm_first
        self.final_norm = final_norm
        self.seed = seed

    def build(self, input_shape):
        self.blocks = [self._block(index) for index in range(self.num_layers)]
        for block in self.blocks:
            block.build(input_shape)
        self.norm = (
            keras.layers.LayerNormalization(epsilon=self.epsilon, name="norm", dtype=self.dtype_policy)
            if self.norm_first and self.final_norm
            else keras.layers.Identity(name="norm", dtype=self.dtype_policy)
        )
        self.norm.build((None, input_shape[-1]))

    def call(self, x, attention_mask=None, training=False, return_attention_scores=False):
        all_scores = []
        for block in self.blocks:
            x, scores = block(
                x,
                attention_mask=attention_mask,
                training=training,
                return_attention_scores=True,
            )
            all_scores.append(scores)
        x = tokenwise(self.norm, x)
        return (x, all_scores) if return_attention_scores else x

    def compute_output_shape(self, input_shape):
        return input_shape

    def compute_output_spec(self, x, attention_mask=None, training=False, return_attention_scores=False):
        output = keras.KerasTensor(x.shape, self.compute_dtype)
        all_scores = [scores_spec(self, x) for _ in range(self.num_layers)]
        return (output, all_scores) if return_attention_scores else output

    def get_config(self):
        return {
            **super().get_config(),
            "num_layers": self.num_layers,
            "num_heads": self.num_heads,
            "mlp_dim": self.mlp_dim,
            "dropout_rate": self.dropout_rate,
            "attention_dropout_rate": self.attention_dropout_rate,
            "drop_path_rate": self.drop_path_rate,
            "layer_scale": self.layer_scale,
            "qk_norm": self.qk_norm,
            "qkv_bias": self.qkv_bias,
            "key_bias": self.key_bias,
            "rotary": self.rotary,
            "activation": self.activation,
            "inner_norm": self.inner_norm,
            "epsilon": self.epsilon,
            "causal": self.causal,
            "norm_first": self.norm_first,
            "final_norm": self.final_norm,
            "seed": self.seed,
        }

    def _block(self, index):
        return TransformerBlock(
            self.num_heads,
            self.mlp_dim,
            dropout_rate=self.dropout_rate,
            attention_dropout_rate=self.attention_dropout_rate,
            drop_path_rate=self.drop_path_rate * index / max(self.num_layers - 1, 1),
            layer_scale=self.layer_scale,
            qk_norm=self.qk_norm,
            qkv_bias=self.qkv_bias,
            key_bias=self.key_bias,
            rotary=self.rotary,
            activation=self.activation,
            inner_norm=self.inner_norm,
            epsilon=self.epsilon,
            causal=self.causal,
            norm_first=self.norm_first,
            seed=None if self.seed is None else self.seed + index,
            name=f"block_{index}",
            dtype=self.dtype_policy,
        )
