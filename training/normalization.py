"""Normalises pixels inside the model, so that the exported model includes it."""

import math
from collections.abc import Callable

import keras
import numpy as np

import keras_vit
from keras_vit.errors import InputError
from keras_vit.layers.image_normalization import KINDS as PER_IMAGE

WHITENINGS = ("pca", "zca")
PATCH_WHITENING = "patch_whitening"
NORMALIZATIONS = ("standardize", *PER_IMAGE, *WHITENINGS, PATCH_WHITENING)
MAX_IMAGES = 10_000  # for the covariance, and for the mean of images that are decoded when they are used
_MOST_VALUES = 2**27  # in memory at once as floats
PATCH = 2  # pixels on a side of what patch_whitening whitens
PATCH_EPSILON = 5e-4  # of the pixels' mean variance, added to the variances of patches
EPSILON = 0.01  # added to the variances of pixels in [0, 1], or whitening would blow up their noise


def normalized_model(kind: str, images: np.ndarray, build: Callable[..., keras.Model]) -> keras.Model:
    """Builds a model of images in [0, 255] that normalizes them first.

    `"standardize"` scales each channel to mean 0 and deviation 1 over the uint8 training images, a kind of
    `keras_vit.layers.ImageNormalization` treats each image by itself, `"pca"` and `"zca"` whiten all pixels
    and channels by the training images. `"patch_whitening"` is a fixed 2 x 2 convolution, whose channels,
    four times as many, are the directions of most variance in patches of that size, each with variance 1: the
    first layer of the model starts from uncorrelated inputs. `build` accepts `pixel_mean` and `pixel_std`, as
    the builders do, and for `"patch_whitening"` also `channels`.

    Reference: https://www.cs.toronto.edu/~kriz/learning-features-2009-TR.pdf, appendix A; of patches: Jordan
        2024, section 3.2, https://arxiv.org/abs/2404.00498
    """
    if kind == "standardize":
        mean, std = channel_statistics(images)
        return build(pixel_mean=mean, pixel_std=std)
    whitened = {"channels": PATCH**2 * images.shape[-1]} if kind == PATCH_WHITENING else {}
    model = build(pixel_mean=0.0, pixel_std=1 / 255, **whitened)  # which leaves the pixels unchanged
    channels = images.shape[-1] if whitened else model.input_shape[-1]
    inputs = keras.Input((*model.input_shape[1:3], channels), name="images")
    x = keras.layers.Rescaling(1 / 255, name="to_unit_range")(inputs)
    if kind == PATCH_WHITENING:
        x = _patch_whitening(images)(x)
    elif kind in WHITENINGS:
        x = _whitening(kind, images, inputs.shape[1:])(x)
    else:
        x = keras_vit.layers.ImageNormalization(kind, name="normalization")(x)
    return keras.Model(inputs, model(x), name=model.name)


def channel_statistics(images):
    """Returns mean and deviation of each channel, lists of float, of pixels in [0, 1]."""
    sums, squares, count = 0.0, 0.0, 0
    chosen = np.arange(len(images)) if isinstance(images, np.ndarray) else _evenly(len(images))
    size = min(MAX_IMAGES, max(1, _MOST_VALUES // math.prod(images.shape[1:])))
    for first in range(0, len(chosen), size):
        part = images[chosen[first : first + size]].astype("float64") / 255
        sums, squares = sums + part.sum((0, 1, 2)), squares + (part**2).sum((0, 1, 2))
        count += part[..., 0].size
    mean = sums / count
    return mean.tolist(), np.sqrt(np.maximum(squares / count - mean**2, 1e-12)).tolist()


def whitening_matrix(kind, pixels):
    """Returns the mean `(n,)` and the matrix `(n, n)` that whitens rows of `pixels - mean` from the right."""
    mean = pixels.mean(axis=0)
    centred = pixels - mean
    variances, directions = np.linalg.eigh(centred.T @ centred / len(centred))
    matrix = directions / np.sqrt(np.maximum(variances, 0) + EPSILON)
    return mean, matrix @ directions.T if kind == "zca" else matrix[:, ::-1]  # greatest variance first


def patch_whitening_kernel(images):
    """Returns kernel `(2, 2, channels, 4 * channels)` and bias `(4 * channels,)` for pixels in [0, 1].

    The convolution's outputs are uncorrelated over the patches of uint8 images, with mean 0 and, but for
    `PATCH_EPSILON`, variance 1; the direction of the greatest variance comes first.
    """
    size = PATCH**2 * images.shape[-1]
    total, products, count = np.zeros(size), np.zeros((size, size)), 0
    chosen = _evenly(len(images))
    step = max(1, _MOST_VALUES // (2 * PATCH**2 * math.prod(images.shape[1:])))
    for first in range(0, len(chosen), step):
        pixels = images[chosen[first : first + step]].astype("float64") / 255
        rows, columns = pixels.shape[1] - PATCH + 1, pixels.shape[2] - PATCH + 1
        shifted = [pixels[:, y : y + rows, x : x + columns] for y in range(PATCH) for x in range(PATCH)]
        patches = np.concatenate(shifted, axis=-1).reshape(-1, size)
        total += patches.sum(axis=0)
        products += patches.T @ patches
        count += len(patches)
    mean = total / count
    variances, directions = np.linalg.eigh(products / count - np.outer(mean, mean))
    epsilon = PATCH_EPSILON * np.maximum(variances.mean(), 1e-12)
    matrix = (directions / np.sqrt(np.maximum(variances, 0) + epsilon))[:, ::-1]
    return matrix.reshape(PATCH, PATCH, -1, size), -mean @ matrix


def _evenly(count):
    """The rows of at most `MAX_IMAGES` images."""
    return np.arange(0, count, -(-count // MAX_IMAGES))


def _whitening(kind, images, shape):
    chosen = images[_evenly(len(images))]
    mean, matrix = whitening_matrix(kind, chosen.reshape(len(chosen), -1).astype("float32") / 255)
    dense = keras.layers.Dense(len(mean), trainable=False, dtype="float32", name=f"{kind}_whitening")
    layers = [keras.Input(shape), keras.layers.Flatten(), dense, keras.layers.Reshape(shape)]
    model = keras.Sequential(layers, name="whitening")
    dense.set_weights([matrix, -mean @ matrix])
    return model


def _patch_whitening(images):
    if min(images.shape[1:3]) < PATCH:
        raise InputError(
            f"normalization={PATCH_WHITENING} needs images of at least {PATCH} x {PATCH} pixels, received "
            f"{images.shape[1]} x {images.shape[2]}."
        )
    kernel, bias = patch_whitening_kernel(images)
    convolution = keras.layers.Conv2D(
        kernel.shape[-1],
        PATCH,
        padding="same",
        data_format="channels_last",
        trainable=False,
        dtype="float32",
        name=PATCH_WHITENING,
    )
    convolution.build((None, None, None, images.shape[-1]))
    convolution.set_weights([kernel, bias])
    return convolution
