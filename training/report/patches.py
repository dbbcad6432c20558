"""Draws images and their patches."""

import numpy as np

from keras_vit.training.report.style import image_pairs, show_image


def patches_picture(images: np.ndarray, patch_size: tuple[int, int]):
    """Draws each image, and next to it its patches, separated; the image size is a multiple of theirs."""
    canvas, pairs = image_pairs(images, margin=0.3)
    for (_, right), separate in zip(pairs, separated(images, patch_size), strict=True):
        show_image(right, separate)
    height, width = images.shape[1:3]
    rows, columns = height // patch_size[0], width // patch_size[1]
    pairs[0, 0].set_title(f"image, {height} x {width} pixels", size=9.5)
    pairs[0, 1].set_title(f"{rows} x {columns} patches of {patch_size[0]} x {patch_size[1]}", size=9.5)
    return canvas


def separated(images, patch_size):
    """Returns the images enlarged, with a white line between their patches."""
    zoom = -(-6 // min(patch_size))  # a line is a sixth of a patch, at least one pixel
    gap = min(patch_size) * zoom // 6
    for axis, side in enumerate(patch_size, start=1):
        images = images.repeat(zoom, axis)
        cuts = np.arange(side * zoom, images.shape[axis], side * zoom)
        images = np.insert(images, cuts.repeat(gap), 255, axis)
    return images
