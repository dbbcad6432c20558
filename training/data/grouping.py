"""What stays together when splits are made: what a source or its user says, or near-duplicates."""

from collections.abc import Sequence

import numpy as np

from keras_vit.errors import InputError, counted
from keras_vit.training.data.alike import kept_together, lines_on, near_duplicates, warn_near_duplicates
from keras_vit.training.data.dataset import Split
from keras_vit.training.data.groups import as_ids, group_names, groups_line, hint
from keras_vit.training.data.layout import ORDER
from keras_vit.training.data.split import Fold, seeded_hashes
from keras_vit.training.data.units import Units


def groups_of(
    parts: dict[str, Split],
    strata: np.ndarray,
    stratum_names: Sequence[str],
    source: str,
    group: str | None,
    alike: bool | None,
) -> tuple[np.ndarray | None, list[str], bool]:
    """Returns the groups that splits keep together, lines on what was found, and whether near-duplicates
    were looked for.

    Args:
        parts: the splits of the source.
        strata: int `(num_images,)` of the training images, of which splits get the same share.
        stratum_names: what messages call these.
        source: what messages call the data.
        group: as `groups.parse` reads it, what the user gave, or None.
        alike: whether near-duplicates are groups too; None: where no group is given and images are few.

    The groups are int `(num_images,)`, or None: equal images alone stay together.

    Raises:
        InputError: no such groups, one in two given splits, or one with all images of each class.
    """
    train, made = parts["train"], len(parts) < len(ORDER)
    groups, lines = None, []
    if group is not None:
        found = group_names(parts, group, source)
        groups = as_ids(found["train"])
        lines.append(groups_line(found, group, made))
        if made and max(Units(strata, seeded_hashes(train, 0), groups).with_stratum) < 2:
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
    if not made:
        return groups, lines, True
    contents = seeded_hashes(train, 0)
    together, ignored = kept_together(pairs[(pairs < len(train)).all(axis=1)], strata, contents)
    lines += lines_on(together, ignored, stratum_names)
    if len(np.unique(together)) == len(train):  # every one alone
        return groups, lines, True
    if groups is not None:
        together = Units(strata, together.astype(np.uint64), groups).of_images
    return together, lines, True


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


def check_folds(
    count: int, train: Split, strata: np.ndarray, groups: np.ndarray | None, label_names: Sequence[str]
):
    """Raises InputError where a class or label has fewer images, or groups of them, than there are folds."""
    units = Units(strata, seeded_hashes(train, 0), groups)
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
