"""What stays together when splits are made: what a source or its user says, or near-duplicates."""

from collections.abc import Sequence

import numpy as np

from keras_vit.errors import InputError, counted
from keras_vit.training.data.alike import (
    groups_within,
    kept_together,
    lines_on,
    near_duplicates,
    warn_near_duplicates,
)
from keras_vit.training.data.dataset import Split
from keras_vit.training.data.groups import as_ids, group_names, groups_line, hint
from keras_vit.training.data.layout import ORDER
from keras_vit.training.data.split import Fold, seeded_hashes
from keras_vit.training.data.units import Units, connected


def groups_of(
    parts: dict[str, Split],
    strata: np.ndarray,
    stratum_names: Sequence[str],
    source: str,
    group: str | None,
    alike: bool | None,
) -> tuple[dict[str, np.ndarray], list[str], bool]:
    """Returns the groups in each split, lines on what was found, and whether near-duplicates were looked for.

    Args:
        parts: the splits of the source.
        strata: int `(num_images,)` of the training images, of which splits get the same share.
        stratum_names: what messages call these.
        source: what messages call the data.
        group: as `groups.parse` reads it, what the user gave, or None.
        alike: whether near-duplicates are groups too; None: where no group is given and images are few.

    The groups are int `(num_images,)`, those of the training split what splits that are made of it keep
    together. In a split that is missing, equal images alone belong together.

    Raises:
        InputError: no such groups, one in two given splits, or one with all images of each class.
    """
    train, made = parts["train"], len(parts) < len(ORDER)
    groups, lines = {}, []
    if group is not None:
        found = group_names(parts, group, source)
        groups = {name: as_ids(names) for name, names in found.items()}
        lines.append(groups_line(found, group, made))
        if made and max(Units(strata, seeded_hashes(train, 0), groups["train"]).with_stratum) < 2:
            raise InputError(
                f"group={group} makes one group of all images of each class of {source}, such as "
                f"{found['train'][0]}: none can be held out. Choose what is smaller than a class."
            )
    elif made and (line := hint(train, strata)):
        lines.append(line)
    pairs, more = (None, []) if group is not None and alike is None else near_duplicates(parts, alike)
    lines += more if made else []
    if pairs is None or not len(pairs):
        return groups, lines, pairs is not None
    warn_near_duplicates(parts, pairs, source)
    together = groups_within(parts, pairs)
    if made:
        contents = seeded_hashes(train, 0)
        within = (pairs < len(train)).all(axis=1)
        together["train"], ignored = kept_together(pairs[within], strata, contents)
        lines += lines_on(together["train"], ignored, stratum_names)
    for name, near in together.items():
        if len(np.unique(near)) < len(near):  # not every one alone
            groups[name] = connected(near, groups[name]) if name in groups else near
    return groups, lines, True


def divided_by_folds(parts: dict[str, Split], fold: Fold) -> tuple[dict[str, Split], list[str]]:
    """Returns the images that folds are made of, as a training split, and lines on what is left out.

    These are those for training and validation: a test split of the source's own stays out of all folds.
    """
    rows = [parts[name] for name in ("train", "validation") if name in parts]
    train = rows[0] if len(rows) == 1 else rows[0].joined(rows[1])
    line = f"fold {fold.number} of {fold.count}: the test split is a part of {counted(len(train), 'image')}"
    if "test" in parts:
        line += f"; the {len(parts['test']):,} of the source's own test split are in no fold"
    return {"train": train}, [line]


def check_folds(count: int, train: Split, strata: np.ndarray, label_names: Sequence[str]):
    """Raises InputError where a class or label has fewer images, or groups of them, than there are folds."""
    units = Units(strata, seeded_hashes(train, 0), train.groups)
    if units.count < count:
        raise InputError(
            f"Expected at most {counted(units.count, 'fold')} of as many different images or groups."
        )
    for stratum, different in zip(np.unique(strata), units.with_stratum, strict=True):
        if stratum < len(label_names) and different < count:
            images = int((strata == stratum).sum())
            has = counted(images, "image") + (
                f" in {counted(different, 'group')}" if different < images else ""
            )
            raise InputError(
                f"Expected at most as many folds as the smallest class can fill, received {count}: "
                f"{label_names[stratum]} has {has}. Take fewer folds, or add images."
            )
