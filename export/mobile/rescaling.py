"""The scaling of pixels, which goes into the first layer where that one allows it."""

import keras

from keras_vit.export.mobile.arrays import exact
from keras_vit.export.mobile.pending import scaled
from keras_vit.export.mobile.registry import rewrites


@rewrites(keras.layers.Rescaling)
def rescaling(layer, x):
    return scaled(x, exact(layer.scale), exact(layer.offset))
