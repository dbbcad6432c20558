"""`hf:NAME`: image classification sets of Hugging Face's `datasets`, from its hub or a folder."""

import functools
import itertools
import os

import numpy as np

from keras_vit.errors import InputError, first_line, listed
from keras_vit.io.label_kinds import NUMBERS
from keras_vit.io.progress import say
from keras_vit.training.data.dataset import Loaded
from keras_vit.training.data.encoded import DECODED_FIELDS, encoded_parts
from keras_vit.training.data.label_columns import alike_names, labels_of_columns, weights_of
from keras_vit.training.data.label_kinds import Labels
from keras_vit.training.data.layout import ORDER, SPLITS
from keras_vit.training.data.row_items import Columns, RowItems
from keras_vit.training.data.split_columns import held_out_lines, rows_of_splits, split_column
from keras_vit.training.data.tables import ALL, TABLE_FIELDS, choose_columns, label_columns
from keras_vit.training.data.unknown_labels import labelled_rows

ARGUMENT = "NAME"
FIELDS = DECODED_FIELDS + TABLE_FIELDS


def load(argument, options):
    """Loads the splits of a set with a column of images and one of classes.

    The argument is a name of the hub, such as `uoft-cs/cifar10`, or a folder; a configuration follows after
    a colon. The columns are `options.columns`, else those of the types `Image` and `ClassLabel`, else those
    with usual names. Images may also be bytes of files. Rows without a label are left out. A column names the
    splits of a set that has train alone.
    """
    source = f"hf:{argument}"
    tables, others = _tables(argument, source)
    features = tables["train"].features
    columns = {**_typed_columns(features), **{k: v for k, v in options.columns.items() if v}}
    chosen = choose_columns(list(features), columns, source)
    tables = {name: _encoded(table, chosen["image"], source) for name, table in tables.items()}
    split, rows, passed_over = _splits(tables, chosen, options, source)
    chosen = {kind: name for kind, name in {**chosen, "split": split}.items() if name}
    names = label_columns(chosen, list(features))
    values = {name: [value for table in tables.values() for value in table[name]] for name in names}
    is_known = _are_known(values, features, rows["train"], options.label_kind)
    where = f"column {listed(names, 5)} of {source}"
    kept, without = labelled_rows({split: is_known[places] for split, places in rows.items()}, where)
    rows = {split: rows[split][places] for split, places in kept.items()}
    labels = _labels(values, features, is_known, source, options)
    of_images = [labels.values]
    if weight := chosen.get("weight"):
        given = [value for table in tables.values() for value in table[weight]]
        of_images.append(weights_of(given, f"column {weight} of {source}"))
    parts = {split: (places, *(array[places] for array in of_images)) for split, places in rows.items()}
    found, lines = encoded_parts(RowItems(tables, chosen["image"], source), parts, options, source)
    taken = "columns: " + ", ".join(f"{kind} {name}" for kind, name in chosen.items())
    left_out = [f"splits left out: {listed(others)}"] if others else []
    said = [taken, *passed_over, *labels.lines, *left_out, *without]
    return Loaded(found, labels.names, [*said, *lines], labels.kind)


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
        _say_where(source, datasets.config.HF_DATASETS_CACHE)
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


@functools.cache  # check loads a set with an error twice
def _say_where(source, folder):
    say(f"{source}: what is not yet in {folder} is downloaded there, once")


def _typed_columns(features):
    """The columns whose types say what they are."""
    import datasets

    images = [name for name, feature in features.items() if isinstance(feature, datasets.Image)]
    images = images or [name for name, feature in features.items() if _are_bytes(feature)]
    labels = [name for name, feature in features.items() if isinstance(feature, datasets.ClassLabel)]
    return {kind: found[0] for kind, found in (("image", images), ("label", labels)) if len(found) == 1}


def _are_bytes(feature):
    """Whether a column has bytes, as themselves or with a path, as tables of other programs have images."""
    inside = feature.get("bytes") if isinstance(feature, dict) else feature
    return getattr(inside, "dtype", None) in ("binary", "large_binary")


def _encoded(table, column, source):
    """The table with image files instead of decoded images."""
    import datasets

    feature = table.features[column]
    if not isinstance(feature, datasets.Image) and not _are_bytes(feature):
        raise InputError(
            f"Expected column {column} of {source} to contain images, or the bytes of image files, received "
            f"{feature}."
        )
    return table.cast_column(column, datasets.Image(decode=False))


def _splits(tables, chosen, options, source):
    """The column of the splits or None, the rows of each split, and lines on columns that are passed over."""
    count, given = sum(map(len, tables.values())), chosen.get("split")
    used = {name for kind, name in chosen.items() if kind not in ("label", "split")}
    if chosen["label"] != ALL:
        used |= {*label_columns(chosen, list(tables["train"].features))}
    columns = {name: values for name, values in _plain_columns(tables) if options.group != f"column:{name}"}
    if len(tables) == 1:
        split, lines = split_column(columns, given, used, source)
        values = split and columns.get(split, Columns(tables)[split])
        return split, rows_of_splits(values, count, f"column {split} of {source}"), lines
    if given:
        raise InputError(f"{source} has splits, {listed(tables)}. Leave split_column out.")
    ends = np.cumsum([len(table) for table in tables.values()])
    rows = {s: np.arange(end - len(t), end) for (s, t), end in zip(tables.items(), ends, strict=True)}
    return None, rows, held_out_lines(columns, used)


def _plain_columns(tables):
    """The columns of texts, classes by their names, whole numbers, or true and false."""
    import datasets

    for name, feature in tables["train"].features.items():
        if not isinstance(feature, datasets.ClassLabel | datasets.Value):
            continue
        if feature.dtype.startswith(("string", "large_string", "int", "uint", "bool")):
            values = [value for table in tables.values() for value in table.data.column(name).to_pylist()]
            names = dict(enumerate(getattr(feature, "names", None) or ()))
            yield name, [names.get(value, value) for value in values] if names else values


def _are_known(values, features, train, kind):
    """Whether each row has a label; -1 stands for none where it is no class, number or label in training."""
    is_none = []
    for name, column in values.items():
        names = _class_names(features[name])
        is_label = names is None and (kind == NUMBERS or any(column[row] == -1 for row in train))
        is_none.append([_is_none(value, is_label, names is not None) for value in column])
    return ~np.all(is_none, axis=0)


def _is_none(value, minus_one, is_class):
    if isinstance(value, list):
        return is_class and any(index is None or index < 0 for index in value)
    return value is None or value != value or not minus_one and isinstance(value, int) and value == -1


def _class_names(feature):
    """The names of the classes of a column of them, or of lists of them; else None."""
    return getattr(feature, "names", None) or getattr(getattr(feature, "feature", None), "names", None)


def _labels(values, features, is_known, source, options):
    """The labels of all rows, 0 of unknown ones; indices of named classes become their names in lists."""
    values = {name: [*itertools.compress(column, is_known)] for name, column in values.items()}
    (name, *others), names = values, _class_names(features[next(iter(values))])
    if not others and hasattr(features[name], "names"):
        labels = Labels(np.array(values[name], np.int32), tuple(names), notes=alike_names(names, source))
    else:
        if not others and names:
            values = {name: [[names[index] for index in row or ()] for row in values[name]]}
        labels = labels_of_columns(values, source, options.label_kind)
    of_all = np.zeros((len(is_known), *labels.values.shape[1:]), labels.values.dtype)
    of_all[is_known] = labels.values
    return labels._replace(values=of_all)
