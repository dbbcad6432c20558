"""Tables with a row for each image: which columns are used, and what they say about labels and splits."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from keras_vit.errors import InputError, first_line, listed
from keras_vit.io.files import read_text, what_lies_at
from keras_vit.training.data.layout import ORDER, SPLITS

USUAL = {  # names of columns that are taken where none is given, in any case
    "image": ("image", "path", "file", "filename", "file_name", "filepath", "file_path", "image_path", "img"),
    "label": ("label", "labels", "class", "category", "tags", "target", "label_name", "class_name"),
    "split": ("split", "set", "subset", "partition"),
    "weight": (),
}
_OPTIONAL = ("split", "weight")
ALL = "*"  # as the label column: all columns that are nothing else
_PARQUET = (".parquet", ".pq")


def read_table(path: Path) -> dict[str, Sequence]:
    """Returns the columns of a CSV file with a header, or of a Parquet file, by name."""
    if path.suffix.lower() in _PARQUET:
        return _read_parquet(path)
    text = read_text(path)
    try:
        dialect = csv.Sniffer().sniff(text[:8192], ",;\t")
    except csv.Error:
        dialect = csv.excel
    rows = [row for row in csv.reader(io.StringIO(text), dialect) if row]
    if len(rows) < 2:
        raise InputError(
            f"Expected a line of column names and a row for each image in {path}, found neither."
        )
    header = [name.strip() for name in rows[0]]
    for number, row in enumerate(rows[1:], start=1):
        if len(row) != len(header):
            raise InputError(
                f"Expected {len(header)} values in each row of {path} ({listed(header)}), received "
                f"{len(row)} in row {number:,}."
            )
    return dict(zip(header, zip(*rows[1:], strict=True), strict=True))


def choose_columns(columns: Sequence[str], given: Mapping[str, str | None], where) -> dict[str, str]:
    """Returns the names of the columns `"image"`, `"label"` and, if there are any, `"split"`, `"weight"`.

    Args:
        columns: names of all columns.
        given: those that were asked for; None for one of the usual names.
        where: what messages call the table.
    """
    chosen = {}
    for kind, usual in USUAL.items():
        name = given.get(kind)
        if unknown := _unknown(kind, name, columns):
            raise InputError(
                f"Expected {kind}_column to be a column of {where}, received {unknown!r}: it has "
                f"{listed(columns)}."
            )
        found = [column for column in columns if column.casefold() in usual]
        if name is None and len(found) != 1 and kind not in _OPTIONAL:
            what = f"{listed(found)} can be it" if found else "none has a usual name"
            raise InputError(
                f"Which column of {where} is the {kind}? It has {listed(columns)}; {what}. Set {kind}_column."
            )
        if name is not None or len(found) == 1:
            chosen[kind] = name or found[0]
    return chosen


def label_columns(chosen: Mapping[str, str], columns: Sequence[str]) -> list[str]:
    """Returns the columns of the labels: that which was chosen, several by commas, or all others."""
    label = chosen["label"]
    if label in columns:
        return [label]
    if label == ALL:
        others = {name for kind, name in chosen.items() if kind != "label"}
        return [name for name in columns if name not in others]
    return [name.strip() for name in label.split(",")]


def are_splits(values: Sequence) -> bool:
    """Returns whether each value is the name of a split."""
    return all(str(value).strip().casefold() in SPLITS for value in values)


def rows_of_splits(values: Sequence | None, count: int, where: str) -> dict[str, np.ndarray]:
    """Returns the rows of each split, named as folders of splits are; without values all are for training."""
    if values is None:
        return {"train": np.arange(count)}
    texts = [str(value).strip().casefold() for value in values]
    if unknown := sorted({text for text in texts if text not in SPLITS}):
        raise InputError(
            f"Expected {where} to say {', '.join(ORDER)} in each row, received "
            f"{listed(map(repr, unknown), 5)}."
        )
    names = np.array([SPLITS[text] for text in texts])
    found = {split: np.flatnonzero(names == split) for split in ORDER}
    if not len(found["train"]):
        raise InputError(f"{where} has no row of the training split. Expected train, and perhaps others.")
    return {split: rows for split, rows in found.items() if len(rows)}


def _read_parquet(path):
    import pyarrow.parquet

    if not path.is_file():
        raise InputError(f"Expected a Parquet file at {path}, found {what_lies_at(path)}.")
    try:
        table = pyarrow.parquet.read_table(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise InputError(f"{path} cannot be read as a Parquet file: {first_line(error)}") from error
    if not table.num_rows:
        raise InputError(f"{path} has no rows.")
    return {name: table[name].to_pylist() for name in table.column_names}


def _unknown(kind, name, columns):
    """The first name that is no column, of those that were asked for, or None."""
    if name is None or name in columns or kind == "label" and name == ALL:
        return None
    names = [part.strip() for part in name.split(",")] if kind == "label" else [name]
    return next((part for part in names if part not in columns), None)
