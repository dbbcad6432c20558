"""Layers that are fast without changes, and layers that do nothing at inference."""

import keras

from keras_vit.export.mobile.pending import materialize
from keras_vit.export.mobile.registry import handles
from keras_vit.layers import DropPath


@handles(
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
    keras.layers.Add,
    keras.layers.Subtract,
    keras.layers.Multiply,
    keras.layers.Average,
    keras.layers.Maximum,
    keras.layers.Minimum,
    keras.layers.Concatenate,
)
def call_as_is(layer, x):
    return layer(keras.tree.map_structure(materialize, x))


@handles(
    DropPath,
    keras.layers.Dropout,
    keras.layers.SpatialDropout2D,
    keras.layers.GaussianDropout,
    keras.layers.GaussianNoise,
    keras.layers.AlphaDropout,
    keras.layers.ActivityRegularization,
    keras.layers.Identity,
)
def omit(layer, x):
    return x
