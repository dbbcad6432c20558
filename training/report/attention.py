"""Draws attention: rollout through all blocks, and the heads of the last block."""

import numpy as np

from keras_vit.models import attention_maps, attention_scores, num_prefix_tokens
from keras_vit.models.rollout import map_grid, rollout_start
from keras_vit.training.report.style import color_bar, figure, image_pairs, show_image

MAX_HEADS = 12
HEAD_COLUMNS = 4


def rollout_maps(model, images):
    """Returns the rollout on images, `(num_images, rows, columns)`, each map relative to its largest."""
    maps = attention_maps(model, images)
    return maps / maps.max(axis=(1, 2), keepdims=True)


def rollout_picture(model, images, texts):
    """Draws each image, and next to it the image under its attention map.

    `texts` are pairs of the true label and the answer of each image, in words.
    """
    canvas, pairs = image_pairs(images, margin=1)
    height, width = images.shape[1:3]
    place = {"interpolation": "bilinear", "extent": (-0.5, width - 0.5, height - 0.5, -0.5)}
    rows = zip(pairs, images, texts, rollout_maps(model, images), strict=True)
    for (left, right), image, (true, answer), values in rows:
        left.set_title(f"true: {true}", size=9.5, parse_math=False)
        right.set_title(f"predicted: {answer}", size=9.5, parse_math=False)
        show_image(right, np.asarray(image, "float32")[..., :3].mean(axis=-1, keepdims=True))
        overlay = right.imshow(values, cmap="inferno", alpha=0.55, vmin=0, vmax=1, **place)
    bar = color_bar(canvas, overlay, pairs, "Attention relative to the image's largest")
    bar.solids.set_alpha(1)
    return canvas


def head_maps(model, images):
    """Returns what each head of the last block attends to, `(num_images, num_heads, rows, columns)`.

    It is the attention of the class token, or its mean over the patches where these are pooled.
    """
    scores, prefix = attention_scores(model, images)[-1], num_prefix_tokens(model)
    seen = scores[:, :, 0] if rollout_start(model) == "token" else scores[:, :, prefix:].mean(axis=2)
    return seen[..., prefix:].reshape(*seen.shape[:2], *map_grid(model))


def heads_picture(model, images):
    """Draws each image, and next to it a map for each head, at most twelve."""
    maps = head_maps(model, images)[:, :MAX_HEADS]
    columns = min(maps.shape[1], HEAD_COLUMNS)
    lines = -(-maps.shape[1] // columns)
    side = 5.0 / (columns + 1)  # inches
    height, width = np.divide(images.shape[1:3], maps.shape[2:])  # of a patch: maps get the images' shape
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
            axes.set_aspect(height / width)
            axes.set_title(f"head {head + 1}", size=9)
    return canvas
