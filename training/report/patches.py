"""Draws images and their patches."""

import keras
import numpy as np

from keras_vit.layers import PatchExtraction
from keras_vit.training.report.style import figure, show_image


def patches_picture(images, patch_size):
    """Draws each image, and next to it its patches, separated.

    Args:
        images: uint8 `(num_images, height, width, channels)`.
        patch_size: `(height, width)` in pixels; the image size is a multiple of it.
    """
    canvas = figure(height=2.5 * len(images) * images.shape[1] / images.shape[2] + 0.3)
    grid = canvas.subplots(len(images), 2, squeeze=False)
    for row, image, separate in zip(grid, images, separated(images, patch_size), strict=True):
        show_image(row[0], image)
        show_image(row[1], separate)
    rows, columns = images.shape[1] // patch_size[0], images.shape[2] // patch_size[1]
    height, width = patch_size
    grid[0, 0].set_title(f"image, {images.shape[1]} x {images.shape[2]} pixels", size=9.5)
    grid[0, 1].set_title(f"{rows} x {columns} patches of {height} x {width}", size=9.5)
    return canvas


def separated(images, patch_size):
    """Returns the images enlarged, with a white line between their patches."""
    channels = images.shape[-1]
    zoom = -(-6 // min(patch_size))  # a line is a sixth of a patch, at least one pixel
    images = images.repeat(zoom, axis=1).repeat(zoom, axis=2)
    height, width = patch_size = patch_size[0] * zoom, patch_size[1] * zoom
    gap = min(patch_size) // 6
    cut = keras.ops.convert_to_numpy(PatchExtraction(patch_size)(np.asarray(images, "float32")))
    cut = cut.reshape(*cut.shape[:2], height, width, channels)
    framed = np.pad(cut, ((0, 0), (0, 0), (0, gap), (0, gap), (0, 0)), constant_values=255)
    rows, columns = images.shape[1] // height, images.shape[2] // width
    size = rows * (height + gap), columns * (width + gap)
    framed = framed.reshape(*framed.shape[:2], -1)
    whole = PatchExtraction((height + gap, width + gap)).reconstruct(framed, size)
    return keras.ops.convert_to_numpy(whole)[:, :-gap, :-gap]
