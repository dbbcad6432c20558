"""Kinds of labels: what an image has, and how labels of tables and arrays are read.

One fact decides the rest: the kind. Labels of classes are int32 `(num_images,)`; of the other kinds they are
float32 `(num_images, num_names)`, a column for each name.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from keras_vit.errors import InputError, counted, listed

CLASS = "class"  # one of some classes
SEVERAL = "several"  # any number of some labels, none of them too
NUMBERS = "numbers"  # one number, or a few
SOFT = "soft"  # a share of each class, which sum to 1
KINDS = (CLASS, SEVERAL, NUMBERS, SOFT)
SUM_TOLERANCE = 0.01  # of shares that were rounded to two digits
NEARLY = 0.1  # of sums of rows that may be shares or numbers
_LARGEST = 1e18  # of a number: its square is within float32
BINS = 10  # of numbers, for splits that are alike
MANY = 20  # whole numbers as classes, from which they may be meant as numbers
_SEPARATORS = re.compile(r"[;|]")
_WITH_COMMA = re.compile(r"[;|,]")
_DECIMAL_COMMA = re.compile(r"\s*[-+]?\d+,\d+\s*")
_THOUSANDS = re.compile(r"\s*[-+]?\d{1,3},\d{3}\s*")
_FLAGS = {"true": "1", "false": "0", "yes": "1", "no": "0"}


class Labels(NamedTuple):
    """The labels of all images of a source.

    Attributes:
        values: int32 `(num_images,)` of classes, else float32 `(num_images, num_names)`.
        names: of the classes, labels or numbers.
        kind: one of `KINDS`.
        reading: str, what was taken for what, or None where it was stated.
    """

    values: np.ndarray
    names: tuple[str, ...]
    kind: str = CLASS
    reading: str | None = None

    @property
    def lines(self) -> list[str]:
        """What there is to say about them."""
        return [self.reading] if self.reading else []


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
    found = kind or _kind_of_rows(rows, name)
    if found == CLASS:
        values = rows.argmax(axis=1) if rows.shape[1] > 1 else rows[:, 0]
        if rows.shape[1] > 1 and not _is_one_hot(rows):
            raise InputError(
                f"Expected {name} to have one class for each image, received rows of several numbers: "
                f"label_kind={SEVERAL}, {NUMBERS} or {SOFT} takes these."
            )
        return Labels(_class_indices(values, name), (), CLASS)
    rows = _checked_rows(rows.astype("float64"), found, name)
    prefix = "value " if found == NUMBERS else ""
    names = ("value",) if found == NUMBERS and rows.shape[1] == 1 else None
    names = names or tuple(f"{prefix}{index}" for index in range(rows.shape[1]))
    return Labels(rows, names, found, None if kind else _reading(found, names, name))


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


def labels_of_columns(columns: Mapping[str, Sequence], where: str, kind: str | None = None) -> Labels:
    """Reads labels of one or several columns of a table.

    One column has class names or whole numbers, which are classes; lists, or texts with `;` or `|`, of names,
    several labels; or numbers. Several columns have 0 and 1, or true and false (several labels, or one class
    where each row has a single 1), shares that sum to 1 (soft labels) or numbers. Numbers may have a decimal
    comma.

    Args:
        columns: the values of each column by its name, one for each image.
        where: what messages call the table.
        kind: one of `KINDS`, or None: as the values show.

    Raises:
        InputError: values that fit no kind, or not the given one, or that can be read in two ways.
    """
    if len(columns) == 1:
        ((name, values),) = columns.items()
        return _of_one_column(name, list(values), f"column {name} of {where}", kind)
    columns = {name: _plain_numbers(_plain_flags(values)) for name, values in columns.items()}
    for name, values in columns.items():
        _refuse_text(values, f"column {name} of {where}", "for one of several label columns")
    rows = np.array([[float(value) for value in values] for values in columns.values()], "float64").T
    found = kind or _kind_of_rows(rows, where)
    names = tuple(columns)
    if found == CLASS:
        if not _is_one_hot(rows):
            raise InputError(
                f"Expected a single 1 in each row of {listed(names)} of {where} for label_kind={CLASS}."
            )
        return Labels(rows.argmax(axis=1).astype("int32"), names, CLASS, _reading(CLASS, names, where))
    rows = _checked_rows(rows, found, f"{listed(names, 5)} of {where}")
    return Labels(rows, names, found, _reading(found, names, where))


def classes_of(values: Sequence, where: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Returns the label of each row, int32, and the class names: the values in order, numbers by size."""
    for row, value in enumerate(values, start=1):
        if _is_empty(value):
            raise InputError(f"{where} is empty in row {row:,}. Name a class for each image.")
        if isinstance(value, float) or _is_fraction(value):
            raise InputError(
                f"Expected class names or whole numbers in {where}, received {value} in row {row:,}. For "
                f"numbers set label_kind={NUMBERS}."
            )
    texts = [str(value).strip() for value in values]
    names = sorted(set(texts), key=_order)
    index = {name: number for number, name in enumerate(names)}
    return np.array([index[text] for text in texts], np.int32), tuple(names)


def weights_of(values: Sequence, where: str) -> np.ndarray:
    """Returns the weight of each image, float32 `(num_images,)`.

    Raises:
        InputError: what is no number of at least 0, or only zeros.
    """
    values = _plain_numbers(values)
    found = [_as_number(value) for value in values]
    wrong = [row for row, value in enumerate(found, 1) if value is None or not 0 <= value < np.inf]
    if wrong or not any(found):
        shown = f"{values[wrong[0] - 1]!r} in row {wrong[0]:,}" if wrong else "only zeros"
        raise InputError(f"Expected a weight of at least 0 in each row of {where}, received {shown}.")
    return np.array(found, np.float32)


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


def _of_one_column(name, values, where, kind):
    if any(isinstance(value, list | tuple | np.ndarray) for value in values):
        return _of_lists(values, where, kind)
    with_points = _plain_numbers(values)
    numeric = [_as_number(value) for value in with_points]
    if kind is None:
        known = [number for number, value in zip(numeric, values, strict=True) if not _is_empty(value)]
        if None not in known and not all(number.is_integer() for number in known):
            kind, stated = NUMBERS, False
        elif any(_SEPARATORS.search(str(value)) for value in values):
            row = next(r for r, value in enumerate(values, 1) if _SEPARATORS.search(str(value)))
            raise InputError(
                f"Is {str(values[row - 1]).strip()!r} in row {row:,} of {where} one class or several labels? "
                f"Set label_kind={SEVERAL} or label_kind={CLASS}."
            )
        else:
            kind, stated = CLASS, False
    else:
        stated = True
    if kind == SOFT:
        raise InputError(f"label_kind={SOFT} needs a column for each class, received one, {name}.")
    if kind == NUMBERS:
        _refuse_text(with_points, where, f"for label_kind={NUMBERS}")
        rows = _checked_rows(np.array(numeric, "float64")[:, None], NUMBERS, where)
        return Labels(rows, (name,), NUMBERS, _reading(NUMBERS, (name,), where))
    if kind == SEVERAL:
        texts = ["" if value is None else str(value) for value in values]
        return _of_lists([_WITH_COMMA.split(text) for text in texts], where, SEVERAL)
    labels, names = classes_of(values, where)
    whole = None not in numeric and len(names) >= MANY and not stated
    if whole and 2 * len(names) > len(values):
        raise InputError(
            f"Are the {len(names):,} whole numbers in {len(values):,} rows of {where} classes or numbers? "
            f"Set label_kind={NUMBERS} or label_kind={CLASS}."
        )
    hint = f"{len(names)} whole numbers in {where} are classes; label_kind={NUMBERS} for numbers"
    return Labels(labels, names, CLASS, f"labels: {hint}" if whole else None)


def _of_lists(values, where, kind):
    """Labels of a column of lists: of names, or of as many numbers each."""
    values = [[] if value is None else list(value) for value in values]
    if any(isinstance(item, str) for value in values for item in value):
        if kind not in (None, SEVERAL):
            raise InputError(f"{where} has lists of names, which label_kind={SEVERAL} takes, not {kind}.")
        named = [[str(item).strip() for item in value if not _is_empty(item)] for value in values]
        names = tuple(sorted({item for value in named for item in value}, key=_order))
        if not names:
            raise InputError(f"{where} has no label in any row.")
        index = {name: number for number, name in enumerate(names)}
        rows = np.zeros((len(values), len(names)), np.float32)
        for row, items in zip(rows, named, strict=True):
            row[[index[item] for item in items]] = 1
        return Labels(rows, names, SEVERAL, _reading(SEVERAL, names, where))
    if len({len(value) for value in values}) != 1:
        raise InputError(f"Expected lists of names, or of equally many numbers, in {where}.")
    return labels_of_array(np.array(values, "float64"), where, kind)


def _kind_of_rows(rows, name):
    if rows.shape[1] == 1 and rows.dtype.kind == "f" and np.array_equal(rows, np.rint(rows)):
        raise InputError(
            f"Are {name}, whole numbers as {rows.dtype}, classes or numbers? Set label_kind={CLASS} or "
            f"label_kind={NUMBERS}, or give classes as integers."
        )
    if rows.shape[1] == 1:
        return CLASS if rows.dtype.kind in "bui" else NUMBERS
    if _is_one_hot(rows):
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


def _is_one_hot(rows):
    return rows.shape[1] > 1 and bool(np.isin(rows, (0, 1)).all() and (rows.sum(axis=1) == 1).all())


def _have_shares(rows, tolerance=SUM_TOLERANCE):
    return (rows >= 0).all(axis=1) & (np.abs(rows.sum(axis=1) - 1) <= tolerance)


def _checked_rows(rows, kind, where):
    """Rows of a kind, float32 as they are trained on."""
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


def _refuse_text(values, where, why):
    for row, value in enumerate(values, start=1):
        if _as_number(value) is None:
            shown = "an empty value" if _is_empty(value) else repr(str(value))
            raise InputError(f"Expected a number in {where} {why}, received {shown} in row {row:,}.")


def _reading(kind, names, where):
    found = {
        CLASS: f"{counted(len(names), 'class', 'classes')}, one in each row",
        SEVERAL: f"several labels an image, of {len(names)}",
        NUMBERS: "a number an image" if len(names) == 1 else f"{len(names)} numbers an image",
        SOFT: f"shares of {counted(len(names), 'class', 'classes')}",
    }[kind]
    return f"labels: {found} ({listed(names, 5)}), as {where} shows; label_kind changes that"


def _is_empty(value):
    return value is None or not str(value).strip()


def _plain_flags(values):
    """Values of a column, where all are true or false as 1 and 0."""
    flags = [_FLAGS.get(str(value).strip().casefold()) for value in values]
    return values if None in flags else flags


def _plain_numbers(values):
    """Values of a column, with decimal points where it has decimal commas and they cannot be thousands."""
    with_comma = [value for value in values if isinstance(value, str) and "," in value]
    decimals = all(map(_DECIMAL_COMMA.fullmatch, with_comma))
    if not with_comma or not decimals or all(map(_THOUSANDS.fullmatch, with_comma)):
        return values
    return [value.replace(",", ".") if isinstance(value, str) else value for value in values]


def _as_number(value):
    try:
        return float(str(value))
    except ValueError:
        return None


def _is_fraction(value):
    try:
        return not float(str(value)).is_integer()
    except (ValueError, OverflowError):
        return False


def _order(name):
    return (0, int(name), name) if name.lstrip("-").isdecimal() else (1, 0, name)
