"""The normalisation before the last dense layer of a branch."""

import keras


def inner_layer_norm(layer, dim):
    """Returns a built layer normalisation over `dim` channels, or an identity without `inner_norm`."""
    if not layer.inner_norm:
        return keras.layers.Identity(name="norm", dtype=layer.dtype_policy)
    norm = keras.layers.LayerNormalization(epsilon=layer.epsilon, name="norm", dtype=layer.dtype_policy)
    norm.build((None, dim))
    return norm
