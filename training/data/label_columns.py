"""Labels and weights as columns of a table."""

import collections
import re
import unicodedata
from collections.abc import Mapping, Sequence

import numpy as np

from keras_vit.errors import InputError, listed, shortened
from keras_vit.io.label_kinds import CLASS, NUMBERS, SEVERAL, SOFT
from keras_vit.training.data.label_arrays import (
    checked_rows,
    is_one_hot,
    kind_of_rows,
    labels_of_array,
    reading_of,
)
from keras_vit.training.data.label_kinds import Labels

MANY = 20  # whole numbers as classes, from which they may be meant as numbers
_SEPARATORS = re.compile(r"[;|]")
_WITH_COMMA = re.compile(r"[;|,]")
_DECIMAL_COMMA = re.compile(r"\s*[-+]?\d+,\d+\s*")
_THOUSANDS = re.compile(r"\s*[-+]?\d{1,3},\d{3}\s*")
_INTEGER = re.compile(r"-?\d{1,300}")  # int() reads a few thousand digits at most
_NUMBER = re.compile(r"[-+]?[0-9]+(\.[0-9]*)?")
_FLAGS = {"true": "1", "false": "0", "yes": "1", "no": "0"}


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
    found = kind or kind_of_rows(rows, where)
    names = tuple(columns)
    if found == CLASS:
        if not is_one_hot(rows):
            raise InputError(
                f"Expected a single 1 in each row of {listed(names)} of {where} for label_kind={CLASS}."
            )
        return Labels(rows.argmax(axis=1).astype("int32"), names, CLASS, reading_of(CLASS, names, where))
    rows = checked_rows(rows, found, f"{listed(names, 5)} of {where}")
    return Labels(rows, names, found, reading_of(found, names, where))


def classes_of(values: Sequence, where: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Returns the label of each row, int32, and the class names: the values in order, numbers by size."""
    for row, value in enumerate(values, start=1):
        if _is_empty(value):
            raise InputError(f"{where} is empty in row {row:,}. Name a class for each image.")
        number = _as_number(value)
        if number is not None and not number.is_integer():
            raise InputError(
                f"Expected class names or whole numbers in {where}, received {shortened(value)} in row "
                f"{row:,}. For numbers set label_kind={NUMBERS}."
            )
    texts = [str(value).strip() for value in values]
    names = sorted(set(texts), key=_order)
    index = {name: number for number, name in enumerate(names)}
    return np.array([index[text] for text in texts], np.int32), tuple(names)


def alike_names(names: Sequence[str], where: str) -> tuple[str, ...]:
    """Returns a line where names of classes differ in case, spaces or the way of writing a number alone."""
    alike = collections.defaultdict(list)
    for name in names:
        alike[_plain_name(name)].append(name)
    found = [" and ".join(map(repr, same)) for same in alike.values() if len(same) > 1]
    if not found:
        return ()
    return (f"{listed(found, 5)} in {where} are different classes: write them alike if they mean one",)


def weights_of(values: Sequence, where: str) -> np.ndarray:
    """Returns the weight of each image, float32 `(num_images,)`.

    Raises:
        InputError: what is no number of at least 0, or only zeros.
    """
    values = _plain_numbers(values)
    found = [_as_number(value) for value in values]
    wrong = [row for row, value in enumerate(found, 1) if value is None or not 0 <= value < np.inf]
    if wrong or not any(found):
        shown = f"{shortened(repr(values[wrong[0] - 1]))} in row {wrong[0]:,}" if wrong else "only zeros"
        raise InputError(f"Expected a weight of at least 0 in each row of {where}, received {shown}.")
    return np.array(found, np.float32)


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
            shown = shortened(str(values[row - 1]).strip())
            raise InputError(
                f"Is {shown!r} in row {row:,} of {where} one class or several labels? Set "
                f"label_kind={SEVERAL} or label_kind={CLASS}."
            )
        else:
            kind, stated = CLASS, False
    else:
        stated = True
    if kind == SOFT:
        raise InputError(f"label_kind={SOFT} needs a column for each class, received one, {name}.")
    if kind == NUMBERS:
        _refuse_text(with_points, where, f"for label_kind={NUMBERS}")
        rows = checked_rows(np.array(numeric, "float64")[:, None], NUMBERS, where)
        return Labels(rows, (name,), NUMBERS, reading_of(NUMBERS, (name,), where))
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
    decimal = None not in numeric and not stated and any(not _INTEGER.fullmatch(name) for name in names)
    hint = f"{len(names)} whole numbers in {where} are classes; label_kind={NUMBERS} for numbers"
    reading = f"labels: {hint}" if whole or decimal else None
    return Labels(labels, names, CLASS, reading, alike_names(names, where))


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
        reading = reading_of(SEVERAL, names, where)
        return Labels(rows, names, SEVERAL, reading, alike_names(names, where))
    if len({len(value) for value in values}) != 1:
        raise InputError(f"Expected lists of names, or of equally many numbers, in {where}.")
    return labels_of_array(np.array(values, "float64"), where, kind)


def _refuse_text(values, where, why):
    for row, value in enumerate(values, start=1):
        if _as_number(value) is None:
            shown = "an empty value" if _is_empty(value) else repr(shortened(value))
            raise InputError(f"Expected a number in {where} {why}, received {shown} in row {row:,}.")


def _is_empty(value):
    return value is None or value != value or not str(value).strip()  # NaN is not itself


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


def _order(name):
    return (0, int(name), name) if _INTEGER.fullmatch(name) else (1, 0, name)


def _plain_name(name):
    """What names have in common that may be meant as one: the number, or the letters in any case."""
    text = " ".join(unicodedata.normalize("NFKC", name).casefold().split())
    return _as_number(text) if _NUMBER.fullmatch(text) else text
