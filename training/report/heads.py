"""Draws where each attention head of the last block looks."""

import numpy as np

from keras_vit.models import attention_scores, num_prefix_tokens
from keras_vit.models.rollout import map_grid, rollout_start
from keras_vit.training.report.style import figure, show_image

MAX_HEADS = 12
COLUMNS = 4  # of heads


def head_maps(model, images):
    """Returns what each head of the last block attends to, as seen from where the output is read.

    Args:
        model: a `keras.Model` with attention.
        images: `(num_images, height, width, channels)`.

    Returns:
        float array `(num_images, num_heads, rows, columns)`: the attention of the class token, or its mean
        over the patches where these are pooled.
    """
    scores, prefix = attention_scores(model, images)[-1], num_prefix_tokens(model)
    seen = scores[:, :, 0] if rollout_start(model) == "token" else scores[:, :, prefix:].mean(axis=2)
    return seen[..., prefix:].reshape(*seen.shape[:2], *map_grid(model))


def heads_picture(model, images):
    """Draws each image, and beside it a map for each head; of many heads the first twelve.

    Args:
        model: a `keras.Model` with attention.
        images: uint8 `(num_images, height, width, channels)`.
    """
    maps = head_maps(model, images)[:, :MAX_HEADS]
    columns = min(maps.shape[1], COLUMNS)
    lines = -(-maps.shape[1] // columns)
    side = 5.0 / (columns + 1)  # inches
    canvas = figure(height=(side * images.shape[1] / images.shape[2] + 0.2) * lines * len(images) + 0.2)
    grid = canvas.subplots(len(images) * lines, columns + 1, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for row, image in zip(grid[::lines], images, strict=True):
        show_image(row[0], image)
        row[0].set_title("image", size=9)
    for index, heads in enumerate(maps):
        for head, values in enumerate(heads):
            axes = grid[index * lines + head // columns, 1 + head % columns]
            axes.imshow(values / max(values.max(), 1e-12), cmap="inferno", vmin=0, vmax=1)
            axes.set_aspect(_stretch(images, maps))
            axes.set_title(f"head {head + 1}", size=9)
    return canvas


def _stretch(images, maps):
    """Height over width of a patch: maps have the shape of their images."""
    height, width = np.divide(images.shape[1:3], maps.shape[2:])
    return height / width
