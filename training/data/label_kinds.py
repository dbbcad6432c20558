"""Kinds of labels: what an image has, and what follows from that.

One fact decides the rest: the kind. Labels of classes are int32 `(num_images,)`; of the other kinds they are
float32 `(num_images, num_names)`, a column for each name. `label_arrays` and `label_columns` read them.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from keras_vit.io.label_kinds import CLASS, NUMBERS, SEVERAL, SOFT

BINS = 10  # of numbers, for splits that are alike


class Labels(NamedTuple):
    """The labels of all images of a source."""

    values: np.ndarray  # int32 (num_images,) of classes, else float32 (num_images, num_names)
    names: tuple[str, ...]  # of the classes, labels or numbers
    kind: str = CLASS  # one of KINDS
    reading: str | None = None  # what was taken for what; None where it was stated
    notes: tuple[str, ...] = ()  # lines on names that may be slips

    @property
    def lines(self) -> list[str]:
        """What there is to say about them."""
        return [*([self.reading] if self.reading else []), *self.notes]


def strata(labels: np.ndarray, kind: str) -> np.ndarray:
    """Returns what splits should have alike shares of, int `(num_images,)`.

    Of classes the class, of several labels the rarest that an image has (without any, one more group), of
    numbers the tenth of the values of the first one, of soft labels the largest share.

    >>> strata(np.array([[1, 0], [1, 1], [0, 0], [1, 0]], "float32"), SEVERAL).tolist()
    [0, 1, 2, 0]
    """
    if kind == CLASS:
        return labels
    if kind == SOFT:
        return labels.argmax(axis=1)
    if kind == NUMBERS:
        edges = np.unique(np.quantile(labels[:, 0], np.linspace(0, 1, BINS + 1)[1:-1]))
        return np.searchsorted(edges, labels[:, 0])
    rarity = np.argsort(labels.sum(axis=0), kind="stable")
    first = labels[:, rarity].argmax(axis=1)
    return np.where(labels.any(axis=1), rarity[first], labels.shape[1])


def stratum_names(label_names: Sequence[str], kind: str) -> list[str]:
    """Returns what messages call what `strata` returned."""
    if kind == NUMBERS:
        return [f"part {number} of the values" for number in range(1, BINS + 1)]
    return [*label_names, *(["no label"] if kind == SEVERAL else [])]


def counts_of(labels: np.ndarray, kind: str, num_names: int) -> np.ndarray:
    """Returns how many images have each class or label, of soft labels the sum of shares, `(num_names,)`."""
    if kind == CLASS:
        return np.bincount(labels, minlength=num_names)
    return labels.sum(axis=0, dtype="float64")


def words_of_labels(labels: np.ndarray, names: Sequence[str], kind: str) -> list[str]:
    """Returns what the labels of some images are, for people, a text for each name."""
    if kind == NUMBERS:
        columns = zip(names, labels.T.astype("float64"), strict=True)
        return [f"{name}: {v.min():g} to {v.max():g}, mean {v.mean():.4g}" for name, v in columns if len(v)]
    counts = counts_of(labels, kind, len(names))
    words = [f"{name}: {count:,.0f}" for name, count in zip(names, counts, strict=True)]
    without = int((~labels.any(axis=1)).sum()) if kind == SEVERAL else 0
    return [*words, f"none of them: {without:,}"] if without else words


def encoded(labels: np.ndarray, num_names: int) -> np.ndarray:
    """Returns labels as a model is trained on them, float32 `(n, num_names)`: classes are one-hot."""
    labels = np.asarray(labels)
    if labels.ndim == 1:
        return (labels[:, np.newaxis] == np.arange(num_names)).astype(np.float32)
    return labels.astype(np.float32, copy=False)
