"""Warnings about data before training, where its metrics would mislead."""

import itertools
import warnings

import numpy as np

from keras_vit.errors import DataWarning, listed
from keras_vit.training.data.split import seeded_hashes

IMBALANCE = 10  # images of the largest class for each of the smallest, from which on it is reported


def warn(message):
    """Issues a DataWarning of one line."""
    warnings.warn(message, DataWarning, stacklevel=2)


def warn_duplicates(parts, source):
    """Warns about images that are in two splits of the source, pixel for pixel.

    Args:
        parts: dict of the source's own splits; those made from its training split share no image.
        source: str, the source's name.
    """
    if len(parts) < 2:
        return
    hashes = {name: seeded_hashes(split.images, 0) for name, split in parts.items()}
    for (one, first), (other, second) in itertools.combinations(hashes.items(), 2):
        count = int(np.isin(second, first).sum())
        if count:
            warn(
                f"{count:,} of {len(second):,} {other} images of {source} are in its {one} split too, pixel "
                f"for pixel: metrics on the {other} split are too good. Remove them from one of the two."
            )


def warn_balance(data):
    """Warns about classes with few training images, or with none in another split."""
    counts = {name: _count(getattr(data, name), data.num_classes) for name in ("train", "validation", "test")}
    low, high = int(counts["train"].argmin()), int(counts["train"].argmax())
    few, many = counts["train"][[low, high]]
    if many >= IMBALANCE * few:
        warn(
            f"The classes are out of balance: {many:,} training images of {data.label_names[high]}, "
            f"{few:,} of {data.label_names[low]}. Accuracy alone misleads; compare the classes one by one."
        )
    for name in ("validation", "test"):
        missing = [data.label_names[index] for index in np.flatnonzero(counts[name] == 0)]
        if missing:
            warn(
                f"The {name} split has no image of {listed(missing)}: nothing is measured for "
                f"{len(missing)} of {data.num_classes} classes there."
            )


def warn_pixels(data):
    """Warns when the training images are constant, or seem to have another range than [0, 255]."""
    images = data.train.images
    low, high = int(images.min()), int(images.max())
    if low == high:
        warn(f"All pixels of the training images are {low}: there is nothing to learn from.")
    elif high <= 1:
        warn("All pixels of the training images are 0 or 1, of 255. If 1 means white, multiply them by 255.")


def _count(split, num_classes):
    return np.bincount(split.labels, minlength=num_classes)
