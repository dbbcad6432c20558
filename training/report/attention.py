"""Draws attention rollout over images."""

import numpy as np

from keras_vit.models import attention_maps
from keras_vit.training.report.names import picture_names
from keras_vit.training.report.style import figure, show_image


def rollout_maps(model, images):
    """Computes the rollout of a model on images, one at a time to bound memory.

    Args:
        model: a `keras.Model` with attention.
        images: `(num_images, height, width, channels)`.

    Returns:
        float array `(num_images, rows, columns)`, relative to the largest of each map.
    """
    maps = attention_maps(model, images)
    return maps / maps.max(axis=(1, 2), keepdims=True)


def rollout_picture(model, images, labels, probabilities, label_names):
    """Draws each image, and beside it the image under its attention map.

    Args:
        model: a `keras.Model` with attention.
        images: uint8 `(num_images, height, width, channels)`.
        labels: `(num_images,)`.
        probabilities: `(num_images, num_classes)`.
        label_names: sequence of `num_classes` str.
    """
    names = picture_names(label_names)
    maps = rollout_maps(model, images)
    canvas = figure(height=2.55 * len(images) * images.shape[1] / images.shape[2] + 0.8)
    grid = canvas.subplots(len(images), 2, squeeze=False)
    rows = zip(grid, images, labels, probabilities.argmax(axis=1), maps, strict=True)
    for (left, right), image, label, predicted, values in rows:
        show_image(left, image)
        left.set_title(f"true: {names[label]}", size=9.5, parse_math=False)
        overlay = _overlay(right, image, values)
        right.set_title(f"predicted: {names[predicted]}", size=9.5, parse_math=False)
    bar = canvas.colorbar(overlay, ax=grid, orientation="horizontal", shrink=0.8, aspect=30, pad=0.02)
    bar.set_label("Attention relative to the image's largest")
    bar.outline.set_visible(False)
    bar.solids.set_alpha(1)
    return canvas


def _overlay(axes, image, values):
    height, width = image.shape[:2]
    show_image(axes, np.asarray(image, "float32")[..., :3].mean(axis=-1, keepdims=True))
    return axes.imshow(
        values,
        cmap="inferno",
        alpha=0.55,
        vmin=0,
        vmax=1,
        interpolation="bilinear",
        extent=(-0.5, width - 0.5, height - 0.5, -0.5),
    )
