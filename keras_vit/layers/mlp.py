"""The feed-forward network of a transformer block."""

from collections.abc import Mapping
from typing import Unpack

import keras
from keras import ops

from keras_vit.constraints import checked
from keras_vit.layers._configured_layer import ConfiguredLayer, build_dense
from keras_vit.layers._gelu import gelu
from keras_vit.layers._options import Activation, DenseLayerOptions, Epsilon, Rate, Seed, Width
from keras_vit.layers._tokenwise import tokenwise


@keras.saving.register_keras_serializable(package="keras_vit")
class MLP(ConfiguredLayer):
    """Two dense layers with GELU between them; or SwiGLU, where one half gates the other.

    `"gelu"` is exact; `"gelu_tanh"` and `"quick_gelu"` (`x * sigmoid(1.702 x)`) are its approximations,
    for weights that were trained with them.

    Args:
        mlp_dim: int, size of the hidden layer (of each half for `"swiglu"`).
        activation: `"gelu"` (default), `"gelu_tanh"`, `"quick_gelu"`, `"swiglu"`, or a function such as
            `keras.activations.relu`; one of your own is registered with `keras.saving` to be saved.
        inner_norm: bool, layer normalisation of the hidden layer, after activation and dropout.
        epsilon: float, of that normalisation.
        dropout_rate: float in [0, 1], after the hidden layer and after the output.
        seed: int or None, of the dropout.
        **options: of the dense layers, as in `SelfAttention`.

    Call arguments:
        x: `(batch, length, hidden_dim)`.

    Returns:
        Like `x`.

    Raises:
        InputError: an unknown activation, or a size or rate out of range.

    Example:
        >>> tuple(MLP(64, activation=keras.activations.relu)(ops.ones((2, 5, 12))).shape)
        (2, 5, 12)

    Reference: https://arxiv.org/abs/2010.11929, section 3.1; approximations of GELU:
        https://arxiv.org/abs/1606.08415, section 2; SwiGLU: https://arxiv.org/abs/2002.05202;
        normalisation inside: Wang et al. 2022, https://arxiv.org/abs/2210.06423
    """

    axes = ("batch", "...", "hidden_dim")

    @checked
    def __init__(
        self,
        mlp_dim: Width,
        activation: Activation = "gelu",
        inner_norm: bool = False,
        epsilon: Epsilon = 1e-6,
        dropout_rate: Rate = 0.0,
        seed: Seed = None,
        **options: Unpack[DenseLayerOptions],
    ) -> None:
        if isinstance(activation, Mapping):
            activation = keras.saving.deserialize_keras_object(dict(activation))
        super().__init__(locals())
        self.expansion = self._dense("expansion")
        self.norm = self._norm("norm", inner_norm)
        self.projection = self._dense("projection")
        self.dropout = self._dropout("dropout", dropout_rate, seed)

    def build(self, input_shape):
        hidden_dim, is_gated = input_shape[-1], self.activation == "swiglu"
        build_dense(self.expansion, hidden_dim, self.mlp_dim * (2 if is_gated else 1))
        self.norm.build((None, self.mlp_dim))
        build_dense(self.projection, self.mlp_dim, hidden_dim)
        self.dropout.build((None, None, self.mlp_dim))

    def call(self, x, training=False):
        x = self._activate(tokenwise(self.expansion, x))
        x = tokenwise(self.norm, self.dropout(x, training=training))
        return self.dropout(tokenwise(self.projection, x), training=training)

    def _activate(self, x):
        if self.activation == "swiglu":
            gate, value = ops.split(x, 2, axis=-1)
            return ops.silu(gate) * value
        if callable(self.activation):
            return self.activation(x)
        if self.activation == "gelu_tanh":
            return ops.gelu(x, approximate=True)
        if self.activation == "quick_gelu":
            return x * ops.sigmoid(1.702 * x)
        # The error function in bfloat16 is slower than in float32 on CPUs.
        return ops.cast(gelu(ops.cast(x, "float32")), x.dtype)
