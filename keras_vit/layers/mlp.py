"""The feed-forward network of a transformer block."""

import keras
from keras import ops

from keras_vit.layers._gelu import gelu
from keras_vit.layers._inner_norm import inner_layer_norm
from keras_vit.layers._tokenwise import tokenwise

ACTIVATIONS = ("gelu", "gelu_tanh", "quick_gelu", "swiglu")


@keras.saving.register_keras_serializable(package="keras_vit")
class MLP(keras.layers.Layer):
    """Two dense layers with GELU between them; or SwiGLU, where one half gates the other.

    `"gelu"` is exact; `"gelu_tanh"` and `"quick_gelu"` (`x * sigmoid(1.702 x)`) are its approximations,
    for weights that were trained with them.

    Args:
        mlp_dim: int, size of the hidden layer (of each half for `"swiglu"`).
        activation: `"gelu"` (default), `"gelu_tanh"`, `"quick_gelu"` or `"swiglu"`.
        inner_norm: bool, layer normalisation of the hidden layer, after activation and dropout.
        epsilon: float, of that normalisation.
        dropout_rate: float in [0, 1], after the hidden layer and after the output.
        seed: int or None, of the dropout.

    Call arguments:
        x: `(batch, length, hidden_dim)`.

    Returns:
        Like `x`.

    Raises:
        ValueError: an unknown activation.

    Reference: https://arxiv.org/abs/2010.11929, section 3.1; approximations of GELU:
        https://arxiv.org/abs/1606.08415, section 2; SwiGLU: https://arxiv.org/abs/2002.05202;
        normalisation inside: Wang et al. 2022, https://arxiv.org/abs/2210.06423
    """

    def __init__(
        self,
        mlp_dim,
        activation="gelu",
        inner_norm=False,
        epsilon=1e-6,
        dropout_rate=0.0,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if activation not in ACTIVATIONS:
            raise ValueError(
                f"Expected activation to be one of {', '.join(ACTIVATIONS)}, received {activation!r}."
            )
        self.mlp_dim = mlp_dim
        self.activation = activation
        self.inner_norm = inner_norm
        self.epsilon = epsilon
        self.dropout_rate = dropout_rate
        self.seed = seed

    def build(self, input_shape):
        hidden_dim = input_shape[-1]
        width = self.mlp_dim * (2 if self.activation == "swiglu" else 1)
        self.expansion = keras.layers.Dense(width, name="expansion", dtype=self.dtype_policy)
        self.expansion.build((None, hidden_dim))
        self.norm = inner_layer_norm(self, self.mlp_dim)
        self.projection = keras.layers.Dense(hidden_dim, name="projection", dtype=self.dtype_policy)
        self.projection.build((None, self.mlp_dim))
        self.dropout = keras.layers.Dropout(
            self.dropout_rate, seed=self.seed, name="dropout", dtype=self.dtype_policy
        )
        self.dropout.build((None, None, self.mlp_dim))

    def call(self, x, training=False):
        x = self._activate(tokenwise(self.expansion, x))
        x = tokenwise(self.norm, self.dropout(x, training=training))
        return self.dropout(tokenwise(self.projection, x), training=training)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "mlp_dim": self.mlp_dim,
            "activation": self.activation,
            "inner_norm": self.inner_norm,
            "epsilon": self.epsilon,
            "dropout_rate": self.dropout_rate,
            "seed": self.seed,
        }

    def _activate(self, x):
        if self.activation == "swiglu":
            gate, value = ops.split(x, 2, axis=-1)
            return ops.silu(gate) * value
        if self.activation == "gelu_tanh":
            return ops.gelu(x, approximate=True)
        if self.activation == "quick_gelu":
            return x * ops.sigmoid(1.702 * x)
        # The error function in bfloat16 is slower than in float32 on CPUs.
        return ops.cast(gelu(ops.cast(x, "float32")), x.dtype)
