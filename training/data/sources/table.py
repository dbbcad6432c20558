"""`table:FILE`: a CSV or Parquet file with a path and a label in each row."""

import itertools
import os
from pathlib import Path

import numpy as np

from keras_vit.errors import InputError, counted, listed, shortened, warn
from keras_vit.training.data.dataset import Loaded
from keras_vit.training.data.encoded import DECODED_FIELDS, encoded_parts
from keras_vit.training.data.groups import COLUMN
from keras_vit.training.data.items import FileItems
from keras_vit.training.data.label_columns import labels_of_columns, weights_of
from keras_vit.training.data.path_columns import ABSENT, image_paths, why_absent
from keras_vit.training.data.split_columns import rows_of_splits, split_column
from keras_vit.training.data.tables import (
    ALL,
    TABLE_FIELDS,
    BytesColumn,
    choose_columns,
    label_columns,
    read_table,
)

ARGUMENT = "PATH"
FIELDS = DECODED_FIELDS + TABLE_FIELDS


def load(argument, options):
    """Loads the images that a table names, each with its label and perhaps its split.

    The columns are those of `options.columns`, else those with usual names, such as `path` and `label`. Paths
    are relative to the folder of the table. The label is one column, several separated by commas, or `*`, all
    that are nothing else; `label_columns.labels_of_columns` reads them. Splits are called as folders of
    splits are. Rows whose files are not there are an error, with `skip_broken` left out.
    """
    path = Path(argument).expanduser()
    table = read_table(path)
    chosen = choose_columns(list(table), options.columns, path)
    column = f"column {chosen['image']} of {path}"
    if isinstance(table[chosen["image"]], BytesColumn):
        raise InputError(
            f"Expected the paths of images in {column}, received the bytes of images. "
            f"data=hf:{path.parent} reads these, in all Parquet files there; or set image_column."
        )
    files, notes = image_paths(table[chosen["image"]], path.parent, column)
    is_there = _there(files, path, column, options.skip_broken)
    others = [
        name
        for name, values in table.items()
        if options.group != f"{COLUMN}:{name}" and not isinstance(values, BytesColumn)
    ]
    split, passed_over = _split(table, chosen, others, path)
    chosen = {kind: name for kind, name in {**chosen, "split": split}.items() if name}
    columns = label_columns(chosen, others)
    found = labels_of_columns({name: table[name] for name in columns}, str(path), options.label_kind)
    rows = rows_of_splits(split and table[split], len(files), f"column {split} of {path}")
    of_images = [found.values]
    if weight := chosen.get("weight"):
        of_images.append(weights_of(table[weight], f"column {weight} of {path}"))
    rows = {name: places[is_there[places]] for name, places in rows.items()}
    numbers = np.cumsum(is_there) - 1  # of the files that are there
    parts = {name: (numbers[rows[name]], *(array[rows[name]] for array in of_images)) for name in rows}
    files = [*itertools.compress(files, is_there)]
    kept = {
        name: values if isinstance(values, BytesColumn) else [*itertools.compress(values, is_there)]
        for name, values in table.items()
    }
    items = FileItems(path.parent, files, kept)
    splits, lines = encoded_parts(items, parts, options, str(path))
    taken = "columns: " + ", ".join(f"{kind} {name}" for kind, name in chosen.items())
    return Loaded(splits, found.names, [taken, *notes, *passed_over, *found.lines, *lines], found.kind)


def _split(table, chosen, others, path):
    """The column of the splits, or None, and lines on those that are passed over."""
    given = {kind: name for kind, name in chosen.items() if kind != "split"}
    used = {name for kind, name in given.items() if kind != "label"} | {*table} - {*others}
    if given["label"] != ALL:
        used |= {*label_columns(given, others)}
    return split_column(table, chosen.get("split"), used, path)


def _there(files, path, column, skip_broken):
    """Whether each file is there."""
    is_there = np.array([file is not ABSENT and os.path.isfile(file) for file in files])
    if is_there.all():
        return is_there
    absent = [*itertools.compress(enumerate(files, start=1), ~is_there)]
    names = [file for _, file in absent if file is not ABSENT]
    found = []
    if names:
        found.append(
            f"{len(names):,} of {counted(len(files), 'file')} that {path} names "
            f"{'is' if len(names) == 1 else 'are'} not there: {listed(map(shortened, names), 5)}."
        )
    if rows := [row for row, file in absent if file is ABSENT]:
        found.append(f"{column[0].upper()}{column[1:]} is empty in {_rows(rows)}.")
    found = " ".join(found)
    if skip_broken and is_there.any():
        warn(f"{found} They are left out.")
        return is_there
    raise InputError(
        f"{found} {why_absent(names, path.parent)}Correct them, leave these rows out, or set "
        "skip_broken=True (--skip-broken)."
    )


def _rows(rows):
    return f"row {rows[0]:,}" if len(rows) == 1 else f"rows {listed(rows, 5)}"
