"""Tokens' vectors: rows of a constant."""

import keras
import tensorflow as tf

from keras_vit.export.mobile.arrays import exact
from keras_vit.export.mobile.pending import plain
from keras_vit.export.mobile.registry import rewrites


@rewrites(keras.layers.Embedding)
def embedding(layer, x):
    if layer.mask_zero or layer.quantization_mode is not None or layer.lora_enabled:
        return NotImplemented
    return tf.gather(tf.constant(exact(layer.embeddings).astype("float32")), plain(x))
