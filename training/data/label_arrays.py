"""Labels as arrays: which kind they are of, and what is wrong with them."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_vit.errors import InputError, counted, listed
from keras_vit.io.label_kinds import CLASS, NUMBERS, SEVERAL, SOFT
from keras_vit.training.data.label_kinds import Labels

SUM_TOLERANCE = 0.01  # of shares that were rounded to two digits
NEARLY = 0.1  # of sums of rows that may be shares or numbers
_LARGEST = 1e18  # of a number: its square is within float32


def labels_of_array(array: Any, name: str, kind: str | None = None) -> Labels:
    """Reads labels of an array; their names are numbers.

    Integers `(n,)` or `(n, 1)` are classes, and so are rows with a single 1 among zeros. Other rows of 0 and
    1 are several labels, rows that sum to 1 soft labels, and all else numbers.
    """
    array = np.asarray(array)
    if array.ndim not in (1, 2) or array.ndim == 2 and not array.shape[1]:
        raise InputError(
            f"Expected {name} of shape (num_images,), or (num_images, names) for several labels or numbers, "
            f"received {array.shape}."
        )
    if array.dtype.kind not in "buif":
        raise InputError(f"Expected {name} to be numbers, received {array.dtype}: classes count from 0.")
    rows = array[:, None] if array.ndim == 1 else array
    found = kind or kind_of_rows(rows, name)
    if found == CLASS:
        values = rows.argmax(axis=1) if rows.shape[1] > 1 else rows[:, 0]
        if rows.shape[1] > 1 and not is_one_hot(rows):
            raise InputError(
                f"Expected {name} to have one class for each image, received rows of several numbers: "
                f"label_kind={SEVERAL}, {NUMBERS} or {SOFT} takes these."
            )
        return Labels(_class_indices(values, name), (), CLASS)
    rows = checked_rows(rows.astype("float64"), found, name)
    prefix = "value " if found == NUMBERS else ""
    names = ("value",) if found == NUMBERS and rows.shape[1] == 1 else None
    names = names or tuple(f"{prefix}{index}" for index in range(rows.shape[1]))
    return Labels(rows, names, found, None if kind else reading_of(found, names, name))


def labels_of_splits(
    arrays: Mapping[str, Any], names: Mapping[str, str], kind: str | None = None
) -> tuple[dict[str, np.ndarray], Labels]:
    """Reads the labels of all splits alike: of arrays by split, which messages call by `names`.

    Returns those of each split, and what they are together.
    """
    arrays = {split: np.asarray(array) for split, array in arrays.items()}
    read = {split: labels_of_array(array, names[split], kind) for split, array in arrays.items()}
    kinds = {labels.kind for labels in read.values()}
    widths = {labels.values.shape[1:] for labels in read.values()}
    if len(kinds) > 1 or len(widths) > 1:
        same_shape = len({array.shape[1:] for array in arrays.values()}) == 1
        if kind is None and same_shape and kinds == {CLASS, SEVERAL}:  # rows with a single 1 in some splits
            return labels_of_splits(arrays, names, SEVERAL)
        found = listed(f"{names[split]} {array.shape}" for split, array in arrays.items())
        raise InputError(f"Expected labels of one kind in all splits, received {found}.")
    return {split: labels.values for split, labels in read.items()}, read["train"]


def kind_of_rows(rows, name):
    """Returns the kind of labels that rows of numbers show; messages call them `name`."""
    if rows.shape[1] == 1 and rows.dtype.kind == "f" and np.array_equal(rows, np.rint(rows)):
        raise InputError(
            f"Are {name}, whole numbers as {rows.dtype}, classes or numbers? Set label_kind={CLASS} or "
            f"label_kind={NUMBERS}, or give classes as integers."
        )
    if rows.shape[1] == 1:
        return CLASS if rows.dtype.kind in "bui" else NUMBERS
    if is_one_hot(rows):
        return CLASS
    if np.isin(rows, (0, 1)).all():
        return SEVERAL
    if _have_shares(rows).all():
        return SOFT
    if _have_shares(rows, NEARLY).all():
        raise InputError(
            f"Are the rows of {name}, which nearly sum to 1, shares of classes or numbers? Divide each row "
            f"by its sum, or set label_kind={NUMBERS}."
        )
    return NUMBERS


def is_one_hot(rows):
    """Returns whether each row has a single 1 among zeros."""
    return rows.shape[1] > 1 and bool(np.isin(rows, (0, 1)).all() and (rows.sum(axis=1) == 1).all())


def _have_shares(rows, tolerance=SUM_TOLERANCE):
    return (rows >= 0).all(axis=1) & (np.abs(rows.sum(axis=1) - 1) <= tolerance)


def checked_rows(rows, kind, where):
    """Returns rows of a kind, float32 as they are trained on."""
    wrong = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if len(wrong):
        raise InputError(
            f"Expected finite labels in {where}, received NaN or infinite ones in row {wrong[0] + 1:,}. Fill "
            "them in, or remove these images."
        )
    if kind == SEVERAL and not np.isin(rows, (0, 1)).all():
        wrong = rows[~np.isin(rows, (0, 1))][0]
        raise InputError(f"Expected 0 or 1 in {where} for several labels, received {wrong:g}.")
    if kind == SOFT:
        if rows.shape[1] < 2:
            raise InputError(f"Expected a column for each class in {where} for soft labels, received one.")
        if len(wrong := np.flatnonzero(~_have_shares(rows))):
            shown = f"sum {rows[wrong[0]].sum():.4g}, smallest {rows[wrong[0]].min():.4g}"
            raise InputError(
                f"Expected shares from 0 that sum to 1 in each row of {where} for soft labels, received "
                f"{shown} in row {wrong[0] + 1:,}. Divide each row by its sum."
            )
        rows = rows / rows.sum(axis=1, keepdims=True)
    largest = np.abs(rows).max(initial=0)
    if largest > _LARGEST:
        raise InputError(
            f"Expected labels up to {_LARGEST:g} in {where}, received {largest:g}. Use another unit, or the "
            "logarithm."
        )
    return rows.astype(np.float32)


def _class_indices(array, name):
    if array.dtype.kind == "f" and not (np.isfinite(array).all() and (array == np.rint(array)).all()):
        raise InputError(f"Expected {name} to be classes, integers from 0, received {array.dtype} values.")
    if array.size and not 0 <= int(array.min()) <= int(array.max()) <= np.iinfo(np.int32).max:
        raise InputError(
            f"Expected {name} to be class indices from 0, received {int(array.min())} to {int(array.max())}."
        )
    return array.astype(np.int32)


def reading_of(kind, names, where):
    """Returns a line on what was taken for what."""
    found = {
        CLASS: f"{counted(len(names), 'class', 'classes')}, one in each row",
        SEVERAL: f"several labels an image, of {len(names)}",
        NUMBERS: "a number an image" if len(names) == 1 else f"{len(names)} numbers an image",
        SOFT: f"shares of {counted(len(names), 'class', 'classes')}",
    }[kind]
    return f"labels: {found} ({listed(names, 5)}), as {where} shows; label_kind changes that"
