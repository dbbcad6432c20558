"""Reads one embedding from a sequence by attention."""

import keras
from keras import ops

from keras_vit.layers._tokenwise import tokenwise
from keras_vit.layers.mlp import MLP


@keras.saving.register_keras_serializable(package="keras_vit")
class AttentionPooling(keras.layers.Layer):
    """A learned query attends to the sequence; an MLP on a residual branch follows ("MAP head").

    Args:
        num_heads: int, must divide the hidden size.
        mlp_dim: int, hidden size of the MLP.
        activation: str, of the MLP, as in `MLP`.
        epsilon: float, of the layer normalisation.

    Call arguments:
        x: `(batch, length, hidden_dim)`.

    Returns:
        `(batch, hidden_dim)`.

    Raises:
        ValueError: `num_heads` does not divide the hidden size.

    Reference: Zhai et al. 2022, appendix A, https://arxiv.org/abs/2106.04560
    """

    def __init__(self, num_heads, mlp_dim, activation="gelu", epsilon=1e-6, **kwargs):
        super().__init__(**kwargs)
        self.num_heads = num_heads
        self.mlp_dim = mlp_dim
        self.activation = activation
        self.epsilon = epsilon

    def build(self, input_shape):
        hidden_dim = input_shape[-1]
        if self.num_heads < 1 or hidden_dim % self.num_heads:
            raise ValueError(
                f"num_heads must divide the hidden size: received num_heads={self.num_heads} and "
                f"hidden_dim={hidden_dim}."
            )
        self.probe = self.add_weight(shape=(1, hidden_dim), initializer="glorot_uniform", name="probe")
        self.query = self._dense("query", hidden_dim, hidden_dim)
        self.key_value = self._dense("key_value", hidden_dim, 2 * hidden_dim)
        self.projection = self._dense("projection", hidden_dim, hidden_dim)
        self.norm = keras.layers.LayerNormalization(
            epsilon=self.epsilon, name="norm", dtype=self.dtype_policy
        )
        self.norm.build((None, hidden_dim))
        self.mlp = MLP(self.mlp_dim, activation=self.activation, name="mlp", dtype=self.dtype_policy)
        self.mlp.build((None, 1, hidden_dim))

    def call(self, x):
        hidden_dim = x.shape[-1]
        length = x.shape[1] if x.shape[1] is not None else ops.shape(x)[1]
        head_dim = hidden_dim // self.num_heads
        query = self.query(ops.cast(self.probe, x.dtype)) * (head_dim**-0.5)
        query = ops.reshape(query, (1, self.num_heads, 1, head_dim))
        key_value = ops.reshape(tokenwise(self.key_value, x), (-1, length, 2, self.num_heads, head_dim))
        key, value = ops.unstack(ops.transpose(key_value, (2, 0, 3, 1, 4)), 2, axis=0)
        # One query needs no matrix product of its own: weight the keys and sum.
        scores = ops.softmax(ops.sum(query * key, axis=-1), axis=-1)
        pooled = ops.sum(ops.expand_dims(scores, -1) * value, axis=2)
        pooled = ops.reshape(pooled, (-1, hidden_dim))
        pooled = self.projection(pooled)
        return pooled + self.mlp(self.norm(pooled))

    def compute_output_shape(self, input_shape):
        return (input_shape[0], input_shape[-1])

    def get_config(self):
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "mlp_dim": self.mlp_dim,
            "activation": self.activation,
            "epsilon": self.epsilon,
        }

    def _dense(self, name, inputs, units):
        dense = keras.layers.Dense(units, name=name, dtype=self.dtype_policy)
        dense.build((None, inputs))
        return dense
