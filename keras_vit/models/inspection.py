"""What a trained Vision Transformer attends to."""

from typing import Any

import keras
import numpy as np

from keras_vit.constraints import checked
from keras_vit.layers import ClassToken, RegisterTokens, TransformerEncoder


@checked
def attention_scores(model: keras.Model, images: Any) -> list[np.ndarray]:
    """Runs a model on images and returns the attention of every block.

    Args:
        model: a `keras.Model` with one `TransformerEncoder` among its layers.
        images: `(batch, height, width, channels)`, as the model expects them.

    Returns:
        A list with one array `(batch, num_heads, tokens, tokens)` per block; empty for a model
        without an encoder.

    Example:
        >>> from keras_vit.models import vit
        >>> scores = attention_scores(vit("Pico/2"), np.zeros((2, 8, 8, 3)))
        >>> len(scores), scores[0].shape
        (4, (2, 4, 17, 17))
    """
    encoder = find_layer(model, TransformerEncoder)
    if encoder is None:
        return []
    tokens = keras.Model(model.inputs[0], encoder.input)(images, training=False)
    _, scores = encoder(tokens, training=False, return_attention_scores=True)
    return [keras.ops.convert_to_numpy(keras.ops.cast(s, "float32")) for s in scores]


@checked
def num_prefix_tokens(model: keras.Model) -> int:
    """Returns how many tokens precede the patches: the class token and the registers.

    Args:
        model: a `keras.Model` such as `vit`.

    Returns:
        int.

    Example:
        >>> from keras_vit.models import vit
        >>> num_prefix_tokens(vit("Pico/2", num_registers=3))
        4
    """
    count = 0
    for layer in model.layers:
        if isinstance(layer, ClassToken):
            count += 1
        if isinstance(layer, RegisterTokens):
            count += layer.num_tokens
    return count


def find_layer(model, *kinds):
    """Returns the first layer of a model that is of one of some classes, or None."""
    return next((layer for layer in model.layers if isinstance(layer, kinds)), None)
