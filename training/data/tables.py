"""Tables with a row for each image: which columns are used, and what they say about labels and splits."""

import csv
import functools
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from keras_vit.errors import InputError, first_line, listed
from keras_vit.io.files import read_text, what_lies_at
from keras_vit.training.data.split_columns import NEW

USUAL = {  # names of columns that are taken where none is given, in any case
    "image": ("image", "path", "file", "filename", "file_name", "filepath", "file_path", "image_path", "img"),
    "label": ("label", "labels", "class", "category", "tags", "target", "label_name", "class_name"),
    "split": (),  # which `split_columns` chooses
    "weight": (),
}
TABLE_FIELDS = (*(f"{kind}_column" for kind in USUAL), "group")  # of recipes
_OPTIONAL = ("split", "weight")
ALL = "*"  # as the label column: all columns that are nothing else
_PARQUET = (".parquet", ".pq")
_INDEX = "__index_level_"  # columns that pandas adds to Parquet files
_DELIMITERS = (",", ";", "\t")


def read_table(path: Path, item: str = "image") -> dict[str, Sequence]:
    """Returns the columns of a CSV or TSV file with a header, or of a Parquet file, by name.

    Messages say that it has a row for each `item`.
    """
    if path.suffix.lower() in _PARQUET:
        return _read_parquet(path)
    text = read_text(path)
    delimiters = ("\t",) if path.suffix.lower() == ".tsv" else _DELIMITERS
    rows = next((rows for rows in map(functools.partial(_rows, text), delimiters) if _is_even(rows)), None)
    rows = rows or _rows(text, max(delimiters, key=text.partition("\n")[0].count))
    if len(rows) < 2:
        raise InputError(
            f"Expected a line of column names and a row for each {item} in {path}, found neither."
        )
    header = [name.strip() for name in rows[0]]
    for number, row in enumerate(rows[1:], start=1):
        if len(row) != len(header):
            raise InputError(
                f"Expected {len(header)} values in each row of {path} ({listed(header)}), received "
                f"{len(row)} in row {number:,}."
            )
    if twice := sorted({name for name in header if name and header.count(name) > 1}):
        raise InputError(f"{path} has several columns with the name {listed(twice)}. Rename or remove some.")
    columns = dict(zip(header, zip(*rows[1:], strict=True), strict=True))
    return {name: values for name, values in columns.items() if name}  # pandas writes an index without a name


def choose_columns(columns: Sequence[str], given: Mapping[str, str | None], where) -> dict[str, str]:
    """Returns the names of the columns `"image"`, `"label"` and, if they are given, `"split"`, `"weight"`."""
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
    names = [name.strip() for name in label.split(",")]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(f"Expected label_column to name each column once, received {listed(twice)} twice.")
    return names


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
    names = [name for name in table.column_names if not name.startswith(_INDEX)]
    return {name: table[name].to_pylist() for name in names}


def _rows(text, delimiter):
    return [row for row in csv.reader(io.StringIO(text), delimiter=delimiter, skipinitialspace=True) if row]


def _is_even(rows):
    """Whether a delimiter gives several columns, and each row a value of each."""
    return bool(rows) and len(rows[0]) > 1 and all(len(row) == len(rows[0]) for row in rows)


def _unknown(kind, name, columns):
    """The first name that is no column, of those that were asked for, or None."""
    if name is None or name in columns or (kind, name) in (("label", ALL), ("split", NEW)):
        return None
    names = [part.strip() for part in name.split(",")] if kind == "label" else [name]
    return next((part for part in names if part not in columns), None)
