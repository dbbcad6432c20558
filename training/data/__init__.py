"""Image data sets by name: `load_data("digits")`, `load_data("folder:photos", image_size=64)`."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from keras_vit.constraints import Choices, ReadBy, checked
from keras_vit.errors import DataWarning, InputError
from keras_vit.io.label_kinds import KINDS, NUMBERS
from keras_vit.io.preprocessing import Preprocessing
from keras_vit.pairs import as_pair
from keras_vit.training.data.checks import (
    check_data,
    check_parts,
    warn_balance,
    warn_duplicates,
    warn_outliers,
    warn_pixels,
)
from keras_vit.training.data.dataset import ImageData, Split
from keras_vit.training.data.given import load_given
from keras_vit.training.data.grouping import check_folds, divided_by_folds, groups_of
from keras_vit.training.data.groups import parse as parse_groups
from keras_vit.training.data.label_kinds import strata, stratum_names
from keras_vit.training.data.sources import LoadOptions, check_read, find_source
from keras_vit.training.data.split import Fold, Fraction, complete_splits
from keras_vit.training.data.storage import resize

__all__ = ["DataWarning", "ImageData", "Split", "load_data"]


@checked
def load_data(
    spec: Any,
    *,
    image_size: int | tuple[int, int] | None = None,
    validation_fraction: Fraction = 0.1,
    test_fraction: Fraction = 0.1,
    seed: int = 0,
    data_dir: str | Path | None = None,
    subset: int | None = None,
    skip_broken: bool = False,
    class_folders: str | None = None,
    prepare: Callable | None = None,
    image_column: str | None = None,
    label_column: str | None = None,
    split_column: str | None = None,
    weight_column: str | None = None,
    label_kind: Annotated[str | None, Choices(*KINDS)] = None,
    sixteen_bit: str | None = None,
    group: Annotated[str | None, ReadBy(parse_groups)] = None,
    near_duplicates: bool | None = None,
    fold: Annotated[str | None, ReadBy(Fold.parse)] = None,
    examine: bool = False,
    caching: bool = True,
    copied: bool = False,
) -> ImageData:
    """Loads images as uint8 arrays, with the options of `keras_vit.training.load_data`.

    The splits of the source are kept; `keras_vit.training.data.split` states how missing ones are chosen.
    """
    image_size = None if image_size is None else as_pair(image_size, "image_size")
    name = "given"
    columns = {"image": image_column, "label": label_column, "split": split_column, "weight": weight_column}
    options = LoadOptions(
        image_size,
        data_dir,
        skip_broken,
        class_folders,
        prepare,
        columns,
        sixteen_bit,
        examine,
        caching,
        copied,
        label_kind,
        group,
    )
    if isinstance(spec, str):
        read = {"skip_broken": skip_broken, "class_folders": class_folders, "sixteen_bit": sixteen_bit}
        check_read(spec, {**read, **{f"{kind}_column": column for kind, column in columns.items()}})
        source, argument, name = find_source(spec)
        loaded = source.load(argument, options)
    else:
        loaded = load_given(spec, "the data", options)
    parts, label_names, kind = loaded.parts, tuple(loaded.label_names), loaded.label_kind
    if label_kind not in (None, kind):
        raise InputError(f"{name} has labels of the kind {kind!r}, received label_kind={label_kind!r}.")
    check_parts(parts, label_names, kind)
    warn_duplicates(parts, name)
    fold = fold and Fold.parse(fold)
    parts, more = (parts, []) if fold is None else divided_by_folds(parts, fold)
    alike = strata(parts["train"].labels, kind)
    groups, lines, is_looked_for = groups_of(
        parts, alike, stratum_names(label_names, kind), name, group or loaded.group, near_duplicates
    )
    known = {split: dataclasses.replace(parts[split], groups=found) for split, found in groups.items()}
    parts = {split: known.get(split, part) for split, part in parts.items()}
    if fold is not None:
        names = () if kind == NUMBERS else label_names
        check_folds(fold.count, parts["train"], alike, names)
    parts = complete_splits(
        parts,
        validation_fraction=validation_fraction,
        test_fraction=test_fraction,
        seed=seed,
        subset=subset,
        kind=kind,
        fold=fold,
    )
    preparation = _preparation(parts["train"].images, image_size, prepare, getattr(spec, "preparation", None))
    if image_size is not None:
        parts = {
            key: dataclasses.replace(split, images=resize(split.images, image_size, prepare))
            for key, split in parts.items()
        }
    found = (*loaded.lines, *_channels(parts["train"]), *more, *lines)
    facts = {"preparation": preparation, "label_kind": kind, "near_duplicates": is_looked_for}
    data = ImageData(name, label_names=label_names, found=found, **facts, **parts)
    check_data(data)
    warn_balance(data)
    warn_outliers(data)
    warn_pixels(data)
    return data


def _channels(train):
    """A line on images with other channels than grey or coloured ones."""
    count = train.images.shape[-1]
    if count in (1, 3):
        return []
    return [f"images have {count} channels, all of which the model gets as they are: none is transparency"]


def _preparation(images, image_size, prepare, earlier):
    """What gives images their size: what `ImageData.preparation` is, and `earlier` was before that."""
    if earlier is not None:
        resized = image_size is not None and isinstance(earlier, Preprocessing)
        return earlier.for_size(image_size) if resized else earlier
    if not isinstance(images, np.ndarray):
        known = images.decoder.prepare
        if callable(known):
            return known
        return dataclasses.replace(Preprocessing.of("stretch", known), window=images.decoder.window)
    if image_size in (None, images.shape[1:3]):
        return None
    return prepare or Preprocessing.of("stretch", image_size)
