"""Splits that a source lacks: balanced over classes, reproducible by a seed, without leaks.

Where labels are not classes, `label_kinds.strata` takes their place.

The rule: identical images (equal pixels, of image files equal content) form one group. The groups of each
class are ordered by a hash of the seed and that, and the first are held out until `fraction` of the class's
images, rounded and at least one, is reached; a group that would exceed this is skipped, and at least one
group stays. The split depends on seed and images alone, not on the order of the files or the version of a
random generator, and no image is in two splits. Where images have groups of their own, such as patients, or
are near-duplicates, `keras_vit.training.data.units` extends the rule to these.
"""

import dataclasses
import hashlib
from typing import Annotated

import numpy as np

from keras_vit.constraints import Range
from keras_vit.errors import InputError
from keras_vit.io.label_kinds import CLASS
from keras_vit.training.data.dataset import Split
from keras_vit.training.data.label_kinds import strata
from keras_vit.training.data.units import Units

Fraction = Annotated[float, Range(1e-6, 1, below=True)]  # of images or lines
MOST_FOLDS = 1000


@dataclasses.dataclass(frozen=True)
class Fold:
    """Which of several folds is the test split: the one of this number, from 1, of `count`."""

    number: int
    count: int

    @classmethod
    def parse(cls, text: str, name: str = "fold") -> "Fold":
        """Reads a fold as a recipe writes it.

        Example:
            >>> Fold.parse("2/5")
            Fold(number=2, count=5)
        """
        number, _, count = str(text).partition("/")
        is_fold = number.isdecimal() and count.isdecimal() and len(text) < 20
        if not (is_fold and 1 <= int(number) <= int(count) and 2 <= int(count) <= MOST_FOLDS):
            raise InputError(
                f"Expected {name} to be NUMBER/COUNT with 2 to {MOST_FOLDS:,} folds, such as 1/5 for the "
                f"first of five, received {text!r}."
            )
        return cls(int(number), int(count))


def complete_splits(
    parts: dict[str, Split],
    *,
    validation_fraction,
    test_fraction,
    seed,
    subset=None,
    kind=CLASS,
    fold: Fold | None = None,
) -> dict[str, Split]:
    """Takes the missing splits out of the training split. Existing splits stay unchanged.

    A `fold` of the training split is the test split instead of `test_fraction`.
    """
    fractions = {"test": test_fraction, "validation": validation_fraction}
    missing = [name for name in fractions if name not in parts]
    if not missing and subset is None:
        return parts
    source, groups = parts["train"], parts["train"].groups
    order, alike = seeded_hashes(source, seed), strata(source.labels, kind)
    rows, held_rows = np.arange(len(source)), {}
    for name in missing:
        of_rows = alike[rows], order[rows], None if groups is None else groups[rows]
        if name == "test" and fold is not None:
            held = Units(*of_rows).folds(fold.count) == fold.number - 1
        else:
            held = hold_out(*of_rows[:2], fractions[name], of_rows[2])
        held_rows[name], rows = rows[held], rows[~held]
    if subset is not None:
        rows = rows[balanced_subset(alike[rows], order[rows], subset)]
    made = {name: source.take(held) for name, held in held_rows.items()}
    return {**parts, **made, "train": source.take(rows)}


def seeded_hashes(split, seed):
    """Returns a uint64 hash of the seed and the pixels, or the file, of each image, `(num_images,)`."""
    keyed, found = hashlib.blake2b(digest_size=8, key=str(seed).encode()), []
    for content in split.contents():
        each = keyed.copy()  # nearly twice as fast as another one with the key
        each.update(content)
        found.append(each.digest())
    return np.frombuffer(b"".join(found), dtype="<u8").astype(np.uint64)


def hold_out(labels, hashes, fraction, groups=None):
    """Chooses the images to hold out by the rule above.

    `hashes` are uint64 `(num_images,)`, equal for equal images; `groups`, int `(num_images,)` or None, are
    equal for images that stay together. Returns bool `(num_images,)`, all False where no class has two
    different images.
    """
    if groups is not None:
        return Units(labels, hashes, groups).hold_out(fraction)
    _, first, group, sizes = np.unique(hashes, return_index=True, return_inverse=True, return_counts=True)
    held = np.zeros(len(first), bool)
    for label in np.unique(labels[first]):
        groups = np.flatnonzero(labels[first] == label)
        held[groups[_first_that_fit(sizes[groups].tolist(), fraction)]] = True
    return held[group]


def balanced_subset(labels, hashes, count):
    """Chooses `count` images, equally many of each class as far as available, in the order of their hashes.

    Returns their rows, an int array `(count,)` in ascending order.
    """
    classes, available = np.unique(labels, return_counts=True)
    if not len(classes) <= count <= len(labels):
        raise InputError(
            f"Expected subset from {len(classes)} (one image for each class) to {len(labels)} (all that are "
            f"left for training), received {count}."
        )
    chosen = []
    for label, quota in zip(classes, _quotas(available, count), strict=True):
        rows = np.flatnonzero(labels == label)
        chosen.append(rows[np.argsort(hashes[rows], kind="stable")[:quota]])
    return np.sort(np.concatenate(chosen))


def _first_that_fit(sizes, fraction):
    if len(sizes) < 2:
        return []
    target = max(1, round(fraction * sum(sizes)))
    chosen, total = [], 0
    for group, size in enumerate(sizes):
        if total == target or len(chosen) == len(sizes) - 1:
            break
        if total + size <= target:
            chosen.append(group)
            total += size
    return chosen or [sizes.index(min(sizes))]


def _quotas(available, count):
    quotas = np.zeros_like(available)
    while left := count - quotas.sum():
        unfilled = np.flatnonzero(quotas < available)[:left]
        share = max(left // len(unfilled), 1)
        quotas[unfilled] = np.minimum(available[unfilled], quotas[unfilled] + share)
    return quotas
