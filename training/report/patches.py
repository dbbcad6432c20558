"""Draws images next to their patches, and next to the features of these."""

import numpy as np
from sklearn.decomposition import PCA

from keras_vit.pretrained import patch_features
from keras_vit.training.report.style import image_pairs, show_image

CLIPPED = 1  # percent of the patches at either end: outliers would reduce the contrast of the others


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


def principal_components(features: np.ndarray) -> np.ndarray:
    """Projects features on their first three principal components, each scaled to [0, 1]: `(..., 3)`."""
    vectors = features.reshape(-1, features.shape[-1]).astype("float64")
    projected = PCA(min(3, *vectors.shape), svd_solver="full").fit_transform(vectors)
    projected = np.pad(projected, ((0, 0), (0, 3 - projected.shape[1])))
    low, high = np.percentile(projected, (CLIPPED, 100 - CLIPPED), axis=0)
    spread = np.clip((projected - low) / np.maximum(high - low, 1e-12), 0, 1)
    return spread.reshape(*features.shape[:-1], 3).astype("float32")


def components_picture(model, images):
    """Draws each image, and next to it the principal components of its patches' features as colours.

    Reference: Oquab et al. 2023, figure 1, https://arxiv.org/abs/2304.07193
    """
    colours = principal_components(patch_features(model).predict(images, verbose=0).astype("float32"))
    canvas, pairs = image_pairs(images, margin=0.2)
    height, width = images.shape[1:3]
    for (_, right), map_of_image in zip(pairs, colours, strict=True):
        right.imshow(map_of_image, interpolation="nearest", extent=(0, width, height, 0))
    return canvas
