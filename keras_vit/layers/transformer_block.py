"""One block of a transformer: attention and MLP, each on a residual branch."""

import keras

from keras_vit.layers._tokenwise import tokenwise
from keras_vit.layers.drop_path import DropPath
from keras_vit.layers.layer_scale import LayerScale
from keras_vit.layers.mlp import MLP
from keras_vit.layers.self_attention import SelfAttention, scores_spec


@keras.saving.register_keras_serializable(package="keras_vit")
class TransformerBlock(keras.layers.Layer):
    """Self-attention and MLP, each on a residual branch with layer normalisation.

    Args:
        num_heads: int, must divide the hidden size.
        mlp_dim: int, hidden size of the MLP.
        dropout_rate: float in [0, 1], after attention and in the MLP.
        attention_dropout_rate: float in [0, 1], on the attention scores.
        drop_path_rate: float in [0, 1), probability that a sample skips a branch in training.
        layer_scale: float, where the branches' learned factors start, or None to have none.
        qk_norm: bool, normalise queries and keys.
        qkv_bias, key_bias, rotary: as in `SelfAttention`.
        activation: str, of the MLP, as in `MLP`.
        inner_norm: None, `"mlp"` or `"both"`: the branches whose last dense layer's input is normalised.
        epsilon: float, of the layer normalisations.
        causal: bool, as in `SelfAttention`.
        norm_first: bool. True (default) normalises a branch's input (pre-norm, as in the Vision
            Transformer), False the sum (post-norm, as in the first Transformer).
        seed: int or None, of all that is random.

    Call arguments:
        x: `(batch, length, hidden_dim)`.
        attention_mask: as in `SelfAttention`.
        return_attention_scores: bool.

    Returns:
        Like `x`; with `return_attention_scores` also `(batch, num_heads, length, length)`.

    Raises:
        ValueError: `num_heads` does not divide the hidden size, an unknown activation, a rate outside
            its range.

    Reference: https://arxiv.org/abs/2010.11929, equations 2 and 3
    """

    def __init__(
        self,
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
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if inner_norm not in (None, "mlp", "both"):
            raise ValueError(f"Expected inner_norm to be None, 'mlp' or 'both', received {inner_norm!r}.")
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
        self.seed = seed

    def build(self, input_shape):
        policy = self.dtype_policy
        self.attention_norm = self._norm("attention_norm", input_shape)
        self.attention = SelfAttention(
            self.num_heads,
            qk_norm=self.qk_norm,
            qkv_bias=self.qkv_bias,
            key_bias=self.key_bias,
            rotary=self.rotary,
            inner_norm=self.inner_norm == "both",
            epsilon=self.epsilon,
            causal=self.causal,
            attention_dropout_rate=self.attention_dropout_rate,
            dropout_rate=self.dropout_rate,
            seed=self.seed,
            name="attention",
            dtype=policy,
        )
        self.mlp_norm = self._norm("mlp_norm", input_shape)
        self.mlp = MLP(
            self.mlp_dim,
            activation=self.activation,
            inner_norm=self.inner_norm is not None,
            epsilon=self.epsilon,
            dropout_rate=self.dropout_rate,
            seed=self.seed,
            name="mlp",
            dtype=policy,
        )
        self.attention_scale = self._scale("attention_scale")
        self.mlp_scale = self._scale("mlp_scale")
        self.drop_path = DropPath(self.drop_path_rate, seed=self.seed, name="drop_path", dtype=policy)
        children = (self.attention, self.mlp, self.attention_scale, self.mlp_scale, self.drop_path)
        for child in children:
            child.build(input_shape)

    def call(self, x, attention_mask=None, training=False, return_attention_scores=False):
        before, after = (tokenwise, _as_is) if self.norm_first else (_as_is, tokenwise)
        mixed, scores = self.attention(
            before(self.attention_norm, x),
            attention_mask=attention_mask,
            training=training,
            return_attention_scores=True,
        )
        x = x + self.drop_path(self.attention_scale(mixed), training=training)
        x = after(self.attention_norm, x)
        y = self.mlp(before(self.mlp_norm, x), training=training)
        x = x + self.drop_path(self.mlp_scale(y), training=training)
        x = after(self.mlp_norm, x)
        return (x, scores) if return_attention_scores else x

    def compute_output_shape(self, input_shape):
        return input_shape

    def compute_output_spec(self, x, attention_mask=None, training=False, return_attention_scores=False):
        output = keras.KerasTensor(x.shape, self.compute_dtype)
        return (output, scores_spec(self, x)) if return_attention_scores else output

    def get_config(self):
        return {
            **super().get_config(),
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
            "seed": self.seed,
        }

    def _scale(self, name):
        if self.layer_scale is None:
            return keras.layers.Identity(name=name, dtype=self.dtype_policy)
        return LayerScale(self.layer_scale, name=name, dtype=self.dtype_policy)

    def _norm(self, name, input_shape):
        norm = keras.layers.LayerNormalization(epsilon=self.epsilon, name=name, dtype=self.dtype_policy)
        norm.build((None, input_shape[-1]))
        return norm


def _as_is(layer, x):
    return x
