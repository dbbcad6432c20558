"""`folder:PATH`: image files in one folder for each class."""

from pathlib import Path

import numpy as np

from keras_vit.errors import InputError, listed
from keras_vit.io.images import Changes, read_image
from keras_vit.training.data.checks import warn
from keras_vit.training.data.dataset import Split
from keras_vit.training.data.layout import read_layout
from keras_vit.training.data.storage import allocate, fill, take

ARGUMENT = "PATH"
DEFAULT_IMAGE_SIZE = (224, 224)  # pixels


def load(argument, options):
    """Loads a folder of class folders, or of folders of splits, as `keras_vit.training.data.layout` reads it.

    The names of the class folders, in alphabetical order, are the label names. Images may have any size; all
    are stretched to `image_size`, 224 x 224 by default. Files are images by their ending or their content.
    Others are counted; more of them than images are an error. `skip_broken` accepts that, and leaves out
    images that cannot be read and names them in a DataWarning.
    """
    path, size = Path(argument).expanduser(), options.image_size or DEFAULT_IMAGE_SIZE
    if not path.is_dir():
        found = "a file" if path.exists() else "nothing"
        raise InputError(f"Expected a folder of class folders at {path}, found {found}.")
    layout = read_layout(path, options.class_folders)
    names = tuple(layout.files["train"])
    files = {split: _labelled(found, names, split, path) for split, found in layout.files.items()}
    count = sum(len(paths) for paths, _ in files.values())
    if layout.passed_over.total() > count and not options.skip_broken:
        raise InputError(
            f"{path} has {count:,} images, and more files that are none: {layout.kinds(5)}. Convert or move "
            "them; to leave them out, set skip_broken=True (--skip-broken)."
        )
    parts, broken, changes = {}, {}, Changes()
    for split, (paths, labels) in files.items():
        images = allocate((len(paths), *size, 3))
        errors = fill(images, lambda file: read_image(file, options.prepare or size, 3, changes), paths)
        parts[split] = Split(images, labels)
        if errors:
            parts[split] = take(parts[split], np.delete(np.arange(len(paths)), list(errors)))
        broken |= {paths[row]: error for row, error in errors.items()}
    if broken:
        _report_broken(broken, count, path, options.skip_broken)
    changes.check(path)
    return parts, names, [*layout.lines(), *changes.lines()]


def _labelled(found, names, split, path):
    """The paths of a split and their labels."""
    unknown = [name for name in found if name not in names]
    if unknown:
        raise InputError(f"The {split} split of {path} has classes that training lacks: {listed(unknown)}.")
    labels = np.repeat([names.index(name) for name in found], [len(paths) for paths in found.values()])
    return [path for paths in found.values() for path in paths], labels.astype(np.int32)


def _report_broken(broken, count, root, skip_broken):
    names = listed(file.relative_to(root) for file in broken)
    found = f"{len(broken):,} of {count:,} images in {root} cannot be read: {names}."
    if skip_broken:
        warn(f"{found} They are left out.")
        return
    first = next(iter(broken.values()))
    raise InputError(
        f"{found} The first: {first} To leave all of them out, set skip_broken=True (--skip-broken)."
    ) from first
