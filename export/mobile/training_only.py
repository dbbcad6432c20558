"""Layers that do something in training only."""

import keras

from keras_vit.export.mobile.registry import rewrites
from keras_vit.layers import DropPath


@rewrites(
    DropPath,
    keras.layers.Dropout,
    keras.layers.SpatialDropout2D,
    keras.layers.GaussianDropout,
    keras.layers.GaussianNoise,
    keras.layers.AlphaDropout,
    keras.layers.ActivityRegularization,
    keras.layers.Identity,
)
def left_out(layer, x):
    return x
