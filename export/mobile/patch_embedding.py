"""Patches as a matrix, embedded by one matrix product."""

import tensorflow as tf

from keras_vit.export.mobile.convolution import convolution
from keras_vit.export.mobile.dense import dense
from keras_vit.export.mobile.pending import Scaled, plain
from keras_vit.export.mobile.registry import rewrites
from keras_vit.layers import PatchEmbedding, PatchExtraction


@rewrites(PatchEmbedding)
def patch_embedding(layer, images):
    if layer.stem == "linear":
        return dense(layer.projection, patch_extraction(layer.extraction, images))
    x = images
    for conv in layer.convolutions:
        x = layer.pool(tf.nn.relu(plain(convolution(conv, x))))
    batch, rows, columns, hidden_dim = x.shape
    return tf.reshape(x, (batch, rows * columns, hidden_dim))


@rewrites(PatchExtraction)
def patch_extraction(layer, images):
    if isinstance(images, Scaled) and images.scale.ndim == images.shift.ndim == 0:
        return Scaled(_patches(images.x, layer.patch_size), images.scale, images.shift)
    return _patches(plain(images), layer.patch_size)


def _patches(images, patch_size):
    """Cuts by a transposition of four axes: a row of patches is one image to it."""
    (batch, image_height, image_width, channels), (height, width) = images.shape, patch_size
    rows, columns = image_height // height, image_width // width
    x = tf.reshape(images, (batch * rows, height, columns, width * channels))
    x = tf.transpose(x, (0, 2, 1, 3))
    return tf.reshape(x, (batch, rows * columns, height * width * channels))
