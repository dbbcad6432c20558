"""Batch normalisation: a factor and a shift that go into the convolution before it."""

import keras
import numpy as np

from keras_vit.export.mobile.arrays import exact
from keras_vit.export.mobile.pending import scaled
from keras_vit.export.mobile.registry import rewrites


@rewrites(keras.layers.BatchNormalization)
def batch_norm(layer, x):
    if layer.axis not in (-1, 3):  # images with channels last
        return NotImplemented
    scale = 1 / np.sqrt(exact(layer.moving_variance) + layer.epsilon)
    if layer.scale:
        scale = scale * exact(layer.gamma)
    shift = -exact(layer.moving_mean) * scale
    return scaled(x, scale, shift + exact(layer.beta) if layer.center else shift)
