"""What is lost where an image is saved as a JPEG file: 8 x 8 blocks, cosine transform, rounded coefficients.

As libjpeg does it by default: luma in full, chroma at half the size in both directions, tables of ITU-T T.81
(annex K, https://www.w3.org/Graphics/JPEG/itu-t81.pdf) scaled by quality, interpolated chroma. libjpeg
computes in integers, so that some coefficients near the middle of two steps round otherwise there.
"""

import functools

import numpy as np
from keras import ops

ORDER = 15
BLOCK = 8  # pixels on a side
_LUMA = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
_CHROMA = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    *((99,) * 8,) * 4,
)
_TO_YCC = ((0.299, -0.168736, 0.5), (0.587, -0.331264, -0.418688), (0.114, 0.5, -0.081312))


def num_uniforms(augmentation):
    return 0 if augmentation.jpeg_quality is None else 1


def apply(images, labels, uniforms, augmentation):
    """Compresses each image with a quality between the least and 100."""
    least = augmentation.jpeg_quality
    quality = ops.floor(least + (101 - least) * uniforms[:, 0])
    return compressed(images, quality), labels


def compressed(images, quality):
    """Returns images as they are after JPEG compression, whole numbers as float32.

    Images are `(batch, height, width, channels)` in [0, 255], with three channels RGB, otherwise each channel
    is compressed like grey. Qualities are `(batch,)`, whole numbers from 1 to 100.
    """
    images = ops.clip(ops.round(ops.cast(images, "float32")), 0, 255)
    if images.shape[-1] != 3:
        return _rounded(_coded(images - 128, _table(_LUMA, quality)) + 128)
    to_ycc = np.array(_TO_YCC, "float32")
    luma, chroma = ops.split(ops.round(ops.matmul(images, to_ycc)), [1], axis=-1)
    luma = _coded(luma - 128, _table(_LUMA, quality)) + 128
    chroma = ops.round(_coded(ops.round(_halved(chroma)), _table(_CHROMA, quality)))
    chroma = _doubled(chroma, images.shape[1:3])
    ycc = ops.concatenate(
        [ops.clip(ops.round(luma), 0, 255), ops.clip(ops.round(chroma), -128, 127)], axis=-1
    )
    return _rounded(ops.matmul(ycc, np.linalg.inv(to_ycc.astype("float64")).astype("float32")))


def _rounded(images):
    return ops.clip(ops.round(images), 0, 255)


def _table(base, quality):
    """Returns the divisors of a block's coefficients, `(batch, 8, 8, 1)`."""
    scale = ops.where(quality < 50, ops.floor(5000 / quality), 200 - 2 * quality)
    divisors = ops.floor((np.array(base, "float32") * ops.reshape(scale, (-1, 1, 1)) + 50) / 100)
    return ops.reshape(ops.clip(divisors, 1, 255), (-1, BLOCK, BLOCK, 1))


def _coded(x, table):
    """Rounds the cosine transform of each block to multiples of the table."""
    height, width, _ = x.shape[1:]
    rows, columns = -(-height // BLOCK), -(-width // BLOCK)
    table = ops.tile(table, (1, rows, columns, 1))
    x = _transformed(_repeated(x, rows * BLOCK, columns * BLOCK), _cosines())
    steps = ops.sign(x) * ops.floor(
        ops.abs(x) / table + 0.5001
    )  # a half away from 0, also where sums are inexact
    return _transformed(steps * table, _cosines().T)[:, :height, :width]


def _transformed(x, matrix):
    """Multiplies the rows and the columns of blocks by a matrix."""
    height, width, channels = x.shape[1:]
    blocks = ops.reshape(x, (-1, height // BLOCK, BLOCK, width // BLOCK, BLOCK, channels))
    x = ops.einsum("brichd,ui,vh->brucvd", blocks, matrix, matrix)
    return ops.reshape(x, (-1, height, width, channels))


@functools.cache
def _cosines():
    """The orthonormal cosine transform, `(frequency, place)`."""
    angles = np.outer(np.arange(BLOCK), 2 * np.arange(BLOCK) + 1) * np.pi / (2 * BLOCK)
    scale = np.where(np.arange(BLOCK) == 0, np.sqrt(1 / BLOCK), np.sqrt(2 / BLOCK))
    return (np.cos(angles) * scale[:, np.newaxis]).astype("float32")


def _repeated(x, height, width):
    """Repeats the last row and column up to a size."""
    down, right = height - x.shape[1], width - x.shape[2]
    x = ops.concatenate([x, *[x[:, -1:]] * down], axis=1) if down else x
    return ops.concatenate([x, *[x[:, :, -1:]] * right], axis=2) if right else x


def _halved(x):
    """The means of 2 x 2 pixels."""
    height, width, channels = -(-x.shape[1] // 2), -(-x.shape[2] // 2), x.shape[3]
    x = ops.reshape(_repeated(x, 2 * height, 2 * width), (-1, height, 2, width, 2, channels))
    return ops.mean(x, axis=(2, 4))


def _doubled(x, size):
    """Twice the size, each pixel three quarters of the nearest and a quarter of the next one."""
    x = ops.einsum("bhwc,yh,xw->byxc", x, _interpolation(x.shape[1]), _interpolation(x.shape[2]))
    return x[:, : size[0], : size[1]]


@functools.cache
def _interpolation(size):
    places = np.arange(2 * size) // 2
    neighbours = np.clip(places + np.where(np.arange(2 * size) % 2, 1, -1), 0, size - 1)
    matrix = np.zeros((2 * size, size), "float32")
    np.add.at(matrix, (np.arange(2 * size), places), 0.75)
    np.add.at(matrix, (np.arange(2 * size), neighbours), 0.25)
    return matrix
