"""The bias of a fused projection whose middle third, the key's, has none."""

import keras
from keras import ops


class QueryValueBias(keras.layers.Layer):
    """Adds a bias to queries and values, `(..., 3 * hidden_dim)`, and none to the keys between them."""

    def build(self, input_shape):
        self.bias = self.add_weight(shape=(input_shape[-1] // 3 * 2,), initializer="zeros", name="bias")

    def call(self, qkv):
        query, value = ops.split(self.bias, 2)
        return qkv + ops.cast(ops.concatenate([query, ops.zeros_like(query), value]), qkv.dtype)
