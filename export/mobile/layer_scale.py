"""Layer scale: a factor that goes into the dense layer before it."""

from export.mobile.arrays import exact
from export.mobile.pending import scaled
from export.mobile.registry import rewrites
from keras_vit.layers import LayerScale


@rewrites(LayerScale)
def layer_scale(layer, x):
    return scaled(x, exact(layer.gamma), 0.0)
