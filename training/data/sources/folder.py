"""`folder:PATH`: image files in one folder for each class."""

import collections
import dataclasses
import os
from pathlib import Path

import numpy as np

from keras_vit.errors import InputError, counted, listed, warn
from keras_vit.io.files import near_path
from keras_vit.io.folders import scan
from keras_vit.io.image_formats import HEIF_HINT, HEIF_SUFFIXES
from keras_vit.training.data.dataset import Loaded
from keras_vit.training.data.encoded import DECODED_FIELDS, encoded_parts
from keras_vit.training.data.items import FileItems
from keras_vit.training.data.label_columns import alike_names
from keras_vit.training.data.layout import read_layout
from keras_vit.training.data.sources.table import load as load_table
from keras_vit.training.data.tables import TABLE_FIELDS

ARGUMENT = "PATH"
FIELDS = (*DECODED_FIELDS, *TABLE_FIELDS, "class_folders")
TABLES = ("labels.csv", "labels.parquet")  # in any case


def load(argument, options):
    """Loads a folder of class folders, or of folders of splits, as `keras_vit.training.data.layout` reads it.

    The names of the class folders, in alphabetical order, are the label names. Images may have any size; they
    are decoded when they are used, and brought to `image_size`, 224 x 224 by default. Files are images by
    their ending or their content. Others are counted; more of them than images are an error. `skip_broken`
    accepts that, and leaves out images that cannot be read and names them in a DataWarning.

    A folder with `labels.csv`, or `labels.parquet`, is read as that table, and no folder is a class.
    """
    path = Path(argument).expanduser()
    if not path.is_dir():
        found = "a file" if path.exists() else "nothing"
        raise InputError(f"Expected a folder of class folders at {path}, found {found}.{near_path(path)}")
    if table := _table_in(path):
        if options.class_folders:
            raise InputError(
                f"class_folders is for class folders, and {path} has {os.path.basename(table)}. Leave it out."
            )
        loaded = load_table(table, options)
        read = f"labels are those of {os.path.basename(table)}: no folder is a class"
        return loaded._replace(lines=[read, *loaded.lines, *_left_out(path, table, loaded.parts)])
    if asked := [f"{kind}_column" for kind, column in options.columns.items() if column]:
        raise InputError(f"{asked[0]} is for a table, and {path} has no {TABLES[0]}. Leave it out.")
    layout = read_layout(path, options.class_folders)
    if options.group:
        layout = dataclasses.replace(layout, hints=())
    names = tuple(layout.files["train"])
    files, parts = [], {}
    for split, found in layout.files.items():
        paths, labels = _labelled(found, names, split, path)
        parts[split] = (np.arange(len(files), len(files) + len(paths)), labels)
        files += paths
    if layout.passed_over.total() > len(files) and not options.skip_broken:
        raise InputError(
            f"{path} has {counted(len(files), 'image')}, and more files that are none: {layout.kinds(5)}. "
            "Convert or move them; to leave them out, set skip_broken=True (--skip-broken)."
        )
    if unread := sum(layout.passed_over[kind] for kind in HEIF_SUFFIXES):
        warn(f"{counted(unread, 'photograph is', 'photographs are')} HEIC and passed over: {HEIF_HINT}.")
    items = FileItems(path, files)
    splits, lines = encoded_parts(items, parts, options, str(path))
    return Loaded(splits, names, [*layout.lines(), *alike_names(names, str(path)), *lines])


def _table_in(path):
    """The path of the table that says the labels of a folder's images, or None."""
    found = [str(file) for file in sorted(path.iterdir()) if file.name.lower() in TABLES]
    if len(found) > 1:
        raise InputError(
            f"Expected one table of labels in {path}, found {listed(map(os.path.basename, found))}. Remove "
            "or rename all but one."
        )
    return found[0] if found else None


def _left_out(path, table, parts):
    """Lines on the images of a folder that its table does not name."""
    named = {os.path.realpath(name) for split in parts.values() for name in split.names()}
    images = scan(path, collections.Counter()).all_images()
    others = [os.path.relpath(image, path) for image in images if os.path.realpath(image) not in named]
    if not others:
        return []
    count = "1 image" if len(others) == 1 else f"{len(others):,} images"
    is_left = f"that {os.path.basename(table)} does not name {'is' if len(others) == 1 else 'are'} left out"
    return [f"{count} {is_left}: {listed(others, 5)}"]


def _labelled(found, names, split, path):
    """The paths of a split and their labels."""
    unknown = [name for name in found if name not in names]
    if unknown:
        raise InputError(f"The {split} split of {path} has classes that training lacks: {listed(unknown)}.")
    labels = np.repeat([names.index(name) for name in found], [len(paths) for paths in found.values()])
    return [path for paths in found.values() for path in paths], labels.astype(np.int32)
