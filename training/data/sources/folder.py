"""`folder:PATH`: image files in one folder for each class."""

from pathlib import Path

import numpy as np

from keras_vit.errors import InputError, listed
from keras_vit.training.data.encoded import encoded_parts
from keras_vit.training.data.items import FileItems
from keras_vit.training.data.layout import read_layout

ARGUMENT = "PATH"


def load(argument, options):
    """Loads a folder of class folders, or of folders of splits, as `keras_vit.training.data.layout` reads it.

    The names of the class folders, in alphabetical order, are the label names. Images may have any size; they
    are decoded when they are used, and brought to `image_size`, 224 x 224 by default. Files are images by
    their ending or their content. Others are counted; more of them than images are an error. `skip_broken`
    accepts that, and leaves out images that cannot be read and names them in a DataWarning.
    """
    path = Path(argument).expanduser()
    if not path.is_dir():
        found = "a file" if path.exists() else "nothing"
        raise InputError(f"Expected a folder of class folders at {path}, found {found}.")
    layout = read_layout(path, options.class_folders)
    names = tuple(layout.files["train"])
    files, parts = [], {}
    for split, found in layout.files.items():
        paths, labels = _labelled(found, names, split, path)
        parts[split] = (np.arange(len(files), len(files) + len(paths)), labels)
        files += paths
    if layout.passed_over.total() > len(files) and not options.skip_broken:
        raise InputError(
            f"{path} has {len(files):,} images, and more files that are none: {layout.kinds(5)}. Convert or "
            "move them; to leave them out, set skip_broken=True (--skip-broken)."
        )
    items = FileItems(path, [str(file) for file in files])
    splits, lines = encoded_parts(items, parts, options, str(path))
    return splits, names, [*layout.lines(), *lines]


def _labelled(found, names, split, path):
    """The paths of a split and their labels."""
    unknown = [name for name in found if name not in names]
    if unknown:
        raise InputError(f"The {split} split of {path} has classes that training lacks: {listed(unknown)}.")
    labels = np.repeat([names.index(name) for name in found], [len(paths) for paths in found.values()])
    return [path for paths in found.values() for path in paths], labels.astype(np.int32)
