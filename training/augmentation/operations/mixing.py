"""MixUp (https://arxiv.org/abs/1710.09412) and CutMix (https://arxiv.org/abs/1905.04899) of a batch.

Each image has its own mixing share and is mixed with the next image of the batch, the last with the first.
"""

import functools

import numpy as np
from keras import ops
from scipy.special import betaincinv

from keras_vit.training.augmentation.operations.erasing import box_mask

ORDER = 30
NUM_UNIFORMS = 4  # MixUp or CutMix, share, centre down, centre right

_TABLE_SIZE = 4097


def num_uniforms(augmentation):
    return NUM_UNIFORMS if augmentation.mixup_alpha or augmentation.cutmix_alpha else 0


def apply(images, labels, uniforms, augmentation):
    """Mixes each image of a batch, and its label, with the next.

    With both on, each image gets either, with probability 0.5. A label's weight is its exact share of the
    pixels.
    """
    mixup_alpha, cutmix_alpha = augmentation.mixup_alpha, augmentation.cutmix_alpha
    which, share, down, right = ops.unstack(uniforms, axis=1)
    images = ops.cast(images, "float32")
    if not cutmix_alpha:
        kept = ops.reshape(beta_quantile(share, mixup_alpha), (-1, 1, 1, 1))
    elif not mixup_alpha:
        kept = _outside_box(images.shape, beta_quantile(share, cutmix_alpha), down, right)
    else:
        mixup = ops.reshape(ops.cast(which < 0.5, "float32"), (-1, 1, 1, 1))
        mixed = ops.reshape(beta_quantile(share, mixup_alpha), (-1, 1, 1, 1))
        cut = _outside_box(images.shape, beta_quantile(share, cutmix_alpha), down, right)
        kept = mixup * mixed + (1 - mixup) * cut
    label_share = ops.reshape(ops.mean(kept, axis=(1, 2)), (-1, 1))
    return _blend(images, kept), _blend(labels, label_share)


def beta_quantile(uniforms, alpha):
    """Maps uniform to Beta(alpha, alpha) numbers by interpolation in a table of quantiles."""
    position = uniforms * (_TABLE_SIZE - 1)
    index = ops.cast(position, "int32")
    table = ops.convert_to_tensor(_quantiles(alpha))
    low, high = ops.take(table, index), ops.take(table, ops.minimum(index + 1, _TABLE_SIZE - 1))
    return low + (position - ops.floor(position)) * (high - low)


@functools.lru_cache
def _quantiles(alpha):
    return betaincinv(alpha, alpha, np.linspace(0, 1, _TABLE_SIZE)).astype("float32")


def _outside_box(image_shape, share, down, right):
    height, width = image_shape[1:3]
    side = ops.sqrt(1 - share)
    edges = []
    for size, centre in ((height, down), (width, right)):
        centre, half = ops.floor(centre * size), ops.floor(side * size) / 2
        edges.append((ops.floor(centre - half), ops.floor(centre + half)))
    (top, bottom), (left, end) = edges
    return 1 - box_mask(image_shape, top, left, bottom, end)  # the box is cropped at the border


def _blend(x, kept):
    partner = ops.concatenate([x[1:], x[:1]], axis=0)
    return partner + kept * (x - partner)
