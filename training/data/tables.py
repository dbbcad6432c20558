"""Tables with a row for each image: which columns are used, and what they say about labels and splits."""

import csv
import functools
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from keras_vit.errors import InputError, counted, first_line, listed, shortened
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
_DELIMITERS = (",", ";", "\t", "|")
_FIELD_SIZE = 2**31 - 1  # characters, the most that csv takes on every system


class BytesColumn(Sequence):
    """Stands for a column of bytes, which is not read: only its length is known."""

    def __init__(self, where: str, length: int):
        self._where, self._length = where, length

    def __len__(self):
        return self._length

    def __getitem__(self, row):
        raise InputError(f"Expected texts or numbers in {self._where}, received bytes.")


def read_table(path: Path, item: str = "image") -> dict[str, Sequence]:
    """Returns the columns of a CSV or TSV file with a header, or of a Parquet file, by name.

    Messages say that it has a row for each `item`.
    """
    if path.suffix.lower() in _PARQUET:
        return _read_parquet(path)
    text = read_text(path)
    delimiters = ("\t",) if path.suffix.lower() == ".tsv" else _DELIMITERS
    read = functools.partial(_rows, text, path)
    rows = next((rows for rows in map(read, delimiters) if _is_even(rows)), None)
    rows = rows or read(max(delimiters, key=text.partition("\n")[0].count))
    if len(rows) < 2:
        raise InputError(
            f"Expected a line of column names and a row for each {item} in {path}, found neither."
        )
    header = [name.strip() for name in rows[0]]
    for number, row in enumerate(rows[1:], start=1):
        if len(row) != len(header):
            raise InputError(
                f"Expected {counted(len(header), 'value')} in each row of {path} "
                f"({shortened(listed(header))}), received {len(row)} in row {number:,}.{_slip(header, row)}"
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
        schema = pyarrow.parquet.read_schema(path)
        plain = [name for name in schema.names if not _are_bytes(schema.field(name).type)]
        table = pyarrow.parquet.read_table(path, columns=plain)
    except (pyarrow.ArrowException, OSError) as error:
        raise InputError(f"{path} cannot be read as a Parquet file: {first_line(error)}") from error
    if not table.num_rows:
        raise InputError(f"{path} has no rows.")
    names = [name for name in schema.names if not name.startswith(_INDEX)]
    return {
        name: table[name].to_pylist()
        if name in plain
        else BytesColumn(f"column {name} of {path}", table.num_rows)
        for name in names
    }


def _are_bytes(kind):
    """Whether a column has bytes, or bytes with the path that they came from."""
    import pyarrow.types as types

    if types.is_struct(kind):
        return any(_are_bytes(field.type) for field in kind.fields)
    return types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind)


def _rows(text, path, delimiter):
    limit = csv.field_size_limit(_FIELD_SIZE)
    try:
        reader = csv.reader(io.StringIO(text), delimiter=delimiter, skipinitialspace=True)
        return [row for row in reader if row]
    except csv.Error as error:
        raise InputError(f"{path} cannot be read as a table: {first_line(error)}.") from error
    finally:
        csv.field_size_limit(limit)


def _slip(header, row):
    """What may be wrong with a row of another length, as a sentence, or `""`."""
    if any("\n" in value for value in row):
        return ' A quotation mark (") before that has no end.'
    if len(header) == 1 and len(row) > 1:
        return " Remove what stands above the line of column names."
    return ""


def _is_even(rows):
    """Whether a delimiter gives several columns, and each row a value of each."""
    return bool(rows) and len(rows[0]) > 1 and all(len(row) == len(rows[0]) for row in rows)


def _unknown(kind, name, columns):
    """The first name that is no column, of those that were asked for, or None."""
    if name is None or name in columns or (kind, name) in (("label", ALL), ("split", NEW)):
        return None
    names = [part.strip() for part in name.split(",")] if kind == "label" else [name]
    return next((part for part in names if part not in columns), None)
