"""Draws how similar the embeddings of positions are."""

import keras
import numpy as np

from keras_vit.layers import PositionEmbedding
from keras_vit.training.report.style import color_bar, figure

MAX_MAPS = 14  # along a side; of a larger grid evenly spaced positions are shown


def position_similarity(embedding, grid_size):
    """Returns the cosine similarity of each position's embedding with all others.

    From `(rows * columns, hidden_dim)`, it is `(rows, columns, rows, columns)` in [-1, 1].
    """
    vectors = np.asarray(embedding, "float64")
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors = vectors / np.maximum(lengths, 1e-12)
    return (vectors @ vectors.T).reshape(*grid_size, *grid_size)


def positions_picture(layer: PositionEmbedding):
    """Draws one map per position of a built layer: its similarity with the whole grid.

    Reference: Dosovitskiy et al. 2021, figure 7, https://arxiv.org/abs/2010.11929
    """
    embedding = keras.ops.convert_to_numpy(layer.embedding)[layer.num_prefix_tokens :]
    rows, columns = layer.grid_size
    shown = [_spread(rows), _spread(columns)]
    maps = position_similarity(embedding, layer.grid_size)[np.ix_(*shown)]
    mosaic = _mosaic(maps)
    canvas = figure(height=min(4.5 * mosaic.shape[0] / mosaic.shape[1] + 1.4, 12))
    axes = canvas.subplots()
    picture = axes.imshow(mosaic, cmap="viridis", vmin=-1, vmax=1, interpolation="nearest")
    for axis, indices, side in ((axes.yaxis, shown[0], rows), (axes.xaxis, shown[1], columns)):
        axis.set_ticks([i * (side + 1) + (side - 1) / 2 for i in range(len(indices))], indices + 1)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    axes.set(xlabel="Column of the patch", ylabel="Row of the patch" if rows > 2 else "Row")
    color_bar(canvas, picture, axes, "Cosine similarity").set_ticks([-1, -0.5, 0, 0.5, 1])
    return canvas


def _spread(count):
    return np.linspace(0, count - 1, min(count, MAX_MAPS)).round().astype(int)


def _mosaic(maps):
    across, down, rows, columns = maps.shape
    apart = np.full((across, rows + 1, down, columns + 1), np.nan)
    apart[:, :rows, :, :columns] = maps.transpose(0, 2, 1, 3)
    return apart.reshape(across * (rows + 1), down * (columns + 1))[:-1, :-1]
