"""Layers that are fast as they are."""

import keras

from keras_vit.export.mobile.pending import plain
from keras_vit.export.mobile.registry import rewrites


@rewrites(
    keras.layers.Activation,
    keras.layers.ReLU,
    keras.layers.Softmax,
    keras.layers.Flatten,
    keras.layers.Reshape,
    keras.layers.Permute,
    keras.layers.ZeroPadding2D,
    keras.layers.Cropping2D,
    keras.layers.GlobalMaxPooling2D,
    keras.layers.GlobalAveragePooling2D,
    keras.layers.GlobalAveragePooling1D,
)
def unchanged(layer, x):
    return layer(plain(x))


@rewrites(
    keras.layers.Add,
    keras.layers.Subtract,
    keras.layers.Multiply,
    keras.layers.Average,
    keras.layers.Maximum,
    keras.layers.Minimum,
    keras.layers.Concatenate,
)
def merged(layer, xs):
    return layer([plain(x) for x in xs])
