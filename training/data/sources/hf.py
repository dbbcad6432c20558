"""`hf:NAME`: image classification sets of Hugging Face's `datasets`, from its hub or a folder."""

import os
from collections.abc import Mapping

import numpy as np

from keras_vit.errors import InputError, first_line, listed
from keras_vit.io.files import read_bytes
from keras_vit.io.images import MAX_FILE_SIZE
from keras_vit.io.label_kinds import CLASS
from keras_vit.io.progress import say
from keras_vit.training.data.dataset import Loaded
from keras_vit.training.data.encoded import DECODED_FIELDS, encoded_parts
from keras_vit.training.data.items import hashes, sampled, told_apart
from keras_vit.training.data.label_columns import labels_of_columns, weights_of
from keras_vit.training.data.label_kinds import Labels
from keras_vit.training.data.layout import ORDER, SPLITS
from keras_vit.training.data.tables import TABLE_FIELDS, choose_columns, label_columns

ARGUMENT = "NAME"
FIELDS = (*DECODED_FIELDS, *(name for name in TABLE_FIELDS if name != "split_column"))  # it has splits


class Columns(Mapping):
    """The columns of some tables of `datasets` one after another, each read when it is asked for."""

    def __init__(self, tables):
        self._tables = list(tables.values())

    def __getitem__(self, name):
        if name not in self._tables[0].column_names:
            raise KeyError(name)
        return [value for table in self._tables for value in table[name]]

    def __iter__(self):
        return iter(self._tables[0].column_names)

    def __len__(self):
        return len(self._tables[0].column_names)


class RowItems:
    """The encoded images of some tables of `datasets`, see `keras_vit.training.data.items`."""

    def __init__(self, tables, column: str, source: str):
        self.table = Columns(tables)
        self._tables, self._column, self._source = tables, column, source
        self._starts = np.cumsum([0, *(len(table) for table in tables.values())])
        samples = list(self._samples())
        self.sizes = np.array([size for size, _ in samples], np.int64)
        found = hashes(sample for _, sample in samples)
        self._contents = told_apart(found, self.sizes, lambda rows: hashes(map(self.read, rows)))

    def __len__(self):
        return int(self._starts[-1])

    def read(self, index: int) -> bytes:
        """Returns the bytes of an image file."""
        split, row = self._place(index)
        return _content(self._tables[split][row][self._column])

    def name(self, index: int) -> str:
        """Returns what messages call an image."""
        return f"{self.short_name(index)} of {self._source}"

    def short_name(self, index: int) -> str:
        """Returns what messages call an image that name the source too."""
        split, row = self._place(index)
        return f"{row} in {split}"

    def stamps(self) -> np.ndarray:
        """Returns a uint64 for each image that changes with it."""
        return self._contents

    def contents(self) -> np.ndarray:
        """Returns a uint64 for each image that is the same for equal files."""
        return self._contents

    def _samples(self):
        """The size and the sample of each image; those in the table are not copied."""
        for table in self._tables.values():
            for chunk in table.data.column(self._column).chunks:
                for inside, path in zip(chunk.field("bytes"), chunk.field("path"), strict=True):
                    content = inside.as_buffer()
                    view = memoryview(_content({"bytes": content, "path": path.as_py()}))
                    yield len(view), sampled(view)

    def _place(self, index):
        table = int(np.searchsorted(self._starts, index, side="right")) - 1
        return list(self._tables)[table], int(index) - int(self._starts[table])


def load(argument, options):
    """Loads the splits of a set with a column of images and one of classes.

    The argument is a name of the hub, such as `uoft-cs/cifar10`, or a folder; a configuration follows after
    a colon. The columns are `options.columns`, else those of the types `Image` and `ClassLabel`, else those
    with usual names.
    """
    source = f"hf:{argument}"
    tables, others = _tables(argument, source)
    columns = {**_typed_columns(tables["train"].features), **{k: v for k, v in options.columns.items() if v}}
    chosen = choose_columns(list(tables["train"].features), {**columns, "split": None}, source)
    tables = {name: _encoded(table, chosen["image"], source) for name, table in tables.items()}
    labels = _labels(tables, label_columns(chosen, list(tables["train"].features)), source, options)
    items = RowItems(tables, chosen["image"], source)
    ends = np.cumsum([len(table) for table in tables.values()])
    rows = {s: np.arange(end - len(t), end) for (s, t), end in zip(tables.items(), ends, strict=True)}
    values, weights = labels.values, []
    if weight := chosen.get("weight"):
        given = [value for table in tables.values() for value in table[weight]]
        weights = [weights_of(given, f"column {weight} of {source}")]
    parts = {
        split: (places, *(array[places] for array in (values, *weights)))
        for split, places in rows.items()
        if labels.kind != CLASS or (values[places] >= 0).all()
    }
    found, lines = encoded_parts(items, parts, options, source)
    taken = f"columns: image {chosen['image']}, label {chosen['label']}"
    left_out = [f"splits left out: {listed(others)}"] if others else []
    return Loaded(found, labels.names, [taken, *labels.lines, *left_out, *lines], labels.kind)


def _tables(argument, source):
    """The tables by split, and the names of those that are no split of ours."""
    try:
        import datasets
    except ImportError as error:
        raise InputError(
            f'{source} needs the package datasets: pip install "keras-vit-mobile[hf]".'
        ) from error
    name, _, configuration = argument.partition(":")
    if not os.path.isdir(os.path.expanduser(name)):
        say(f"{source}: what is not yet in {datasets.config.HF_DATASETS_CACHE} is downloaded there, once")
    try:
        loaded = datasets.load_dataset(os.path.expanduser(name), configuration or None)
    except Exception as error:  # no such set, a gated one, no network, damaged files: of many types
        raise InputError(
            f"{source} cannot be loaded: {first_line(error)} Expected a name of the hub that you can read "
            "(log in with `hf auth login` for a gated one), or a folder."
        ) from error
    found, others = {}, []
    for split, table in loaded.items():
        known = SPLITS.get(str(split).casefold())
        if known is None or known in found:
            others.append(split)
        else:
            found[known] = table
    if "train" not in found:
        raise InputError(f"Expected a split train in {source}, found {listed(loaded)}.")
    return {split: found[split] for split in ORDER if split in found}, others


def _typed_columns(features):
    """The columns whose types say what they are."""
    import datasets

    images = [name for name, feature in features.items() if isinstance(feature, datasets.Image)]
    labels = [name for name, feature in features.items() if isinstance(feature, datasets.ClassLabel)]
    return {kind: found[0] for kind, found in (("image", images), ("label", labels)) if len(found) == 1}


def _encoded(table, column, source):
    """The table with image files instead of decoded images, and rows in the order of its files."""
    import datasets

    if not isinstance(table.features[column], datasets.Image):
        raise InputError(
            f"Expected column {column} of {source} to contain images, received {table.features[column]}."
        )
    return table.cast_column(column, datasets.Image(decode=False)).flatten_indices()


def _labels(tables, columns, source, options):
    """The labels of all rows; indices of named classes become their names where there are lists of them."""
    values = {name: [value for table in tables.values() for value in table[name]] for name in columns}
    feature = tables["train"].features[columns[0]]
    if len(columns) == 1 and hasattr(feature, "names"):
        return Labels(np.array(values[columns[0]], np.int32), tuple(feature.names))
    if len(columns) == 1 and hasattr(getattr(feature, "feature", None), "names"):
        names = feature.feature.names
        values = {columns[0]: [[names[index] for index in row or ()] for row in values[columns[0]]]}
    return labels_of_columns(values, source, options.label_kind)


def _content(found):
    if found["bytes"] is not None:
        return found["bytes"]
    return read_bytes(found["path"], "an image file", MAX_FILE_SIZE)
