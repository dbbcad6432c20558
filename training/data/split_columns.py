"""Which column of a table says the split of each image.

A column that seems to hold rows out is never passed over: it is used, or an error asks what it is.
"""

import re
from collections.abc import Mapping, Sequence

import numpy as np

from keras_vit.errors import InputError, listed, shortened
from keras_vit.training.data.layout import ORDER, SPLITS

USUAL = ("split", "set", "subset", "partition")  # names of columns, in any case
NEW = "new"  # as split_column: no column is one, and the splits are made anew
_NEVER_ELSE = ("split", "partition")  # whatever they say
_FEW = 10  # different values of a column that may be one of splits
_HELD_OUT = re.compile(r"(?:^|[^a-z])(?:test|val|eval|hold|held|dev|unseen|oof)|test(?:ing|set)?$|^$")
_FLAGS = {"0", "1", "2", "0.0", "1.0", "2.0", "true", "false", "yes", "no", ""}
_FLAG_NAMES = re.compile(r"(?:is|in|for)_(?:the_)?(\w+?)(?:_?(?:set|split))?")  # is_valid, in_test_set


def split_column(
    table: Mapping[str, Sequence], given: str | None, used: Sequence[str], where
) -> tuple[str | None, list[str]]:
    """Returns the column of the splits of a table, or None, and lines on columns that are passed over.

    Args:
        table: the columns by name.
        given: the column that was asked for; `"new"` for none; None for one with a usual name.
        used: columns that have another meaning.
        where: what messages call the table.

    Raises:
        InputError: a column that seems to hold rows out, and is not the one of the splits.
    """
    if given is not None:
        return (None if given == NEW and NEW not in table else given), []
    others = [name for name in table if name not in used]
    usual = [name for name in others if name.strip().casefold() in USUAL]
    known = [name for name in usual if set(texts_of(table[name])) <= SPLITS.keys()]
    if len(known) > 1 and len({tuple(SPLITS[text] for text in texts_of(table[name])) for name in known}) > 1:
        raise InputError(
            f"Which column of {where} says the splits? {listed(known)} can be it. Set split_column."
        )
    if known:
        return known[0], [_line(table, name) for name in usual if name not in known]
    for name in usual:
        found = _distinct(table[name])
        if (
            name.strip().casefold() in _NEVER_ELSE
            or _hold_out(found)
            or _name_splits(found)
            or _are_flags(found)
        ):
            rows_of_splits(table[name], len(table[name]), f"column {name} of {where}")
    for name in others:
        if name not in usual and _is_other(name, table[name]):
            raise InputError(
                f"Column {name} of {where} says {_shown(table[name])}, and seems to hold rows out. If it "
                f"does, set split_column={name}, with {', '.join(ORDER)} as its values; if not, set "
                f"split_column={NEW}."
            )
    return None, [_line(table, name) for name in usual]


def rows_of_splits(values: Sequence | None, count: int, where: str) -> dict[str, np.ndarray]:
    """Returns the rows of each split, named as folders of splits are; without values all are for training."""
    if values is None:
        return {"train": np.arange(count)}
    texts = texts_of(values)
    if not set(texts) <= SPLITS.keys():
        unknown = [value for value, text in zip(values, texts, strict=True) if text not in SPLITS]
        raise InputError(
            f"Expected {where} to say {', '.join(ORDER)} in each row, received {_shown(unknown)}. Correct "
            f"these rows; if it says no splits, set split_column={NEW}."
        )
    names = np.array([SPLITS[text] for text in texts])
    found = {split: np.flatnonzero(names == split) for split in ORDER}
    if not len(found["train"]):
        raise InputError(f"{where} has no row of the training split. Expected train, and perhaps others.")
    return {split: rows for split, rows in found.items() if len(rows)}


def texts_of(values: Sequence) -> list[str]:
    """Returns values as they are compared with names of splits; what is missing is empty."""
    return [_text(value).casefold() for value in values]


def held_out_lines(table: Mapping[str, Sequence], used: Sequence[str]) -> list[str]:
    """Returns lines on columns that seem to hold rows out, where a source has splits of its own."""
    return [
        f"column {name} is not read, though it says {_shown(table[name])}"
        for name in table
        if name not in used and _is_other(name, table[name])
    ]


def _distinct(values):
    """The different values of a column as texts; none of more than a few, or of no single ones."""
    try:
        found = set(values)
    except TypeError:  # lists
        return set()
    found = set(texts_of(found)) if len(found) <= 2 * _FEW else set()
    return found if len(found) <= _FEW else set()


def _hold_out(found):
    """Whether some rows are for training, and others are named as if they were not."""
    train = {text for text in found if SPLITS.get(text) == "train"}
    return bool(train) and any(map(_HELD_OUT.search, found - train))


def _name_splits(found):
    return len({SPLITS[text] for text in found if text in SPLITS}) > 1


def _are_flags(found):
    return len(found) > 1 and found <= _FLAGS


def _is_other(name, values):
    """Whether a column without a usual name seems to hold rows out by its values, or is like `is_valid`."""
    found = _distinct(values)
    match = _FLAG_NAMES.fullmatch(name.strip().casefold())
    is_named = match is not None and (match[1] in SPLITS or _HELD_OUT.match(match[1]) is not None)
    return _hold_out(found) or is_named and _are_flags(found)


def _shown(values):
    return listed(
        sorted({"nothing" if not text else repr(shortened(text)) for text in map(_text, values)}), 5
    )


def _text(value):
    return "" if value is None or value != value else str(value).strip()


def _line(table, name):
    return f"column {name} is not taken for splits: it says {_shown(table[name])}"
