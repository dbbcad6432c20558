"""Layers that make tokens, add to them, make fewer of them, or read some of them."""

import keras
import numpy as np
import tensorflow as tf

from keras_vit.export.mobile.convolution import convolution
from keras_vit.export.mobile.dense import dense, product
from keras_vit.export.mobile.normalization import layer_norm
from keras_vit.export.mobile.pending import (
    EncoderOutput,
    Scaled,
    Tokens,
    as_float64,
    constant,
    keep_scale,
    mapped,
    materialize,
)
from keras_vit.export.mobile.registry import handles
from keras_vit.layers import (
    ClassToken,
    GridPooling,
    PatchEmbedding,
    PatchExtraction,
    PatchMerger,
    PositionEmbedding,
    RegisterTokens,
    TokenPooling,
)


@handles(keras.layers.Embedding, options=("input_dim", "output_dim"))
def embedding(layer, x):
    tokens = materialize(x)
    tokens = tokens if tokens.dtype.is_integer else tf.cast(tokens, tf.int32)

    def compute(matrix):
        with tf.name_scope(layer.path):
            return tf.gather(_constant(layer.embeddings, matrix), tokens)

    return Tokens(compute)


@handles(PatchEmbedding, options=("hidden_dim", "patch_size", "stem", "use_bias"))
def patch_embedding(layer, images):
    if layer.stem == "linear":
        return dense(layer.projection, patch_extraction(layer.extraction, images))
    x = images
    for conv in layer.convolutions:
        x = layer.pool(tf.nn.relu(materialize(convolution(conv, x))))
    batch, rows, columns, hidden_dim = x.shape
    return tf.reshape(x, (batch, rows * columns, hidden_dim))


@handles(PatchExtraction, options=("patch_size",))
def patch_extraction(layer, images):
    if isinstance(images, Scaled) and (images.scale.ndim or images.shift.ndim):
        images = materialize(images)  # a patch has the channels many times
    return keep_scale(lambda x: _patches(x, layer.patch_size), images)


def _patches(images, patch_size):
    """Extracts patches by a transposition of four axes; each row of patches is treated as one image."""
    (batch, image_height, image_width, channels), (height, width) = images.shape, patch_size
    rows, columns = image_height // height, image_width // width
    x = tf.reshape(images, (batch * rows, height, columns, width * channels))
    x = tf.transpose(x, (0, 2, 1, 3))
    return tf.reshape(x, (batch, rows * columns, height * width * channels))


@handles(ClassToken)
def class_token(layer, x):
    return _insert(layer.token, x, 0)


@handles(RegisterTokens, options=("num_tokens", "num_prefix_tokens"))
def register_tokens(layer, x):
    return _insert(layer.tokens, x, layer.num_prefix_tokens)


def _insert(tokens, x, index):
    """Inserts tokens, which are the same for each image, at a position of the sequence."""

    def compute(matrix):
        y = mapped(x, matrix)
        same = _constant(np.repeat(as_float64(tokens), y.shape[0], axis=0), matrix)
        return tf.concat([y[:, :index], same, y[:, index:]] if index else [same, y], axis=1)

    return Tokens(compute)


@handles(PositionEmbedding)
def position_embedding(layer, x):
    def compute(matrix):
        y = mapped(x, matrix)
        with tf.init_scope():  # the layer's output for zeros is its table, resampled if necessary
            table = keras.ops.convert_to_numpy(layer(np.zeros((1, *y.shape[1:]), "float32")))
        return y + _constant(table, matrix)

    return Tokens(compute)


def _constant(table, matrix):
    """A table of weights, multiplied by a matrix or None, as a constant of the graph."""
    return constant(table if matrix is None else as_float64(table) @ matrix)


@handles(PatchMerger, options=("num_tokens", "num_prefix_tokens", "epsilon"))
def patch_merger(layer, x):
    return reduced(layer, materialize(x), layer_norm)


@handles(GridPooling, options=("grid_size", "num_prefix_tokens"))
def grid_pooling(layer, x):
    return keep_scale(lambda tokens: reduced(layer, tokens, None), x)


def reduced(layer, x, norm):
    """Returns the tokens that a `PatchMerger` or `GridPooling` makes of `(batch, length, hidden_dim)`.

    `norm(layer, x)` computes the merger's normalization of tokens in the form that `x` has. Means of tokens
    are the same in any base of the channels.
    """
    prefix = layer.num_prefix_tokens
    kept, patches = (x[:, :prefix], x[:, prefix:]) if prefix else (None, x)
    y = _grid_pooled(layer, patches) if isinstance(layer, GridPooling) else _merged(layer, patches, norm)
    return tf.concat([kept, y], axis=1) if prefix else y


def _merged(layer, x, norm):
    scores = materialize(product(norm(layer.norm, x), as_float64(layer.queries).T, 0.0, layer.path))
    with tf.name_scope(layer.path):
        scores = tf.nn.softmax(tf.transpose(scores, (0, 2, 1)))
        return tf.matmul(scores, x)


def _grid_pooled(layer, x):
    (batch, _, hidden_dim), (rows, columns) = x.shape, layer.grid_size
    with tf.name_scope(layer.path):
        x = tf.nn.avg_pool2d(tf.reshape(x, (batch, rows, columns, hidden_dim)), 2, 2, "VALID")
        return tf.reshape(x, (batch, rows * columns // 4, hidden_dim))


@handles(TokenPooling, options=("mode", "num_prefix_tokens", "index"))
def token_pooling(layer, x):
    if isinstance(x, EncoderOutput):
        if layer.mode == "token" and layer.index == 0:
            return x.first_token()
        x = x.all_tokens()
    if layer.mode == "token_gap":  # which has the channels twice
        x = materialize(x)
    return keep_scale(lambda tokens: _pooled(layer, tokens), x)


def _pooled(layer, x):
    if layer.mode == "gap":
        return _mean(layer, x)
    token = x[:, layer.index : layer.index + 1]
    token = tf.reshape(token, (x.shape[0], x.shape[2]))  # XNNPACK does not run indexing
    return token if layer.mode == "token" else tf.concat([token, _mean(layer, x)], axis=-1)


def _mean(layer, x):
    prefix = layer.num_prefix_tokens
    return tf.reduce_mean(x[:, prefix:] if prefix else x, axis=1)
