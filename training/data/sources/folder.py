"""`folder:PATH`: image files in one folder for each class."""

import os
from pathlib import Path

import numpy as np

from keras_vit.errors import InputError, listed
from keras_vit.io.images import IMAGE_SUFFIXES, read_image
from keras_vit.training.data.checks import warn
from keras_vit.training.data.dataset import Split
from keras_vit.training.data.storage import allocate, fill, take

ARGUMENT = "PATH"
DEFAULT_IMAGE_SIZE = (224, 224)  # pixels
_SPLIT_FOLDERS = {"train": ("train",), "validation": ("validation", "val"), "test": ("test",)}


def load(argument, options):
    """Loads a folder of class folders, or of the folders `train`, `validation` (or `val`) and `test`.

    The names of the class folders, in alphabetical order, are the label names. Images may be in them at any
    depth and have any size; all are stretched to `image_size`, 224 x 224 by default. Hidden files and files
    without an image suffix are ignored. A folder `train` that contains folders is the training split; folders
    next to it that are not splits are then ignored. `skip_broken` leaves out images that cannot be read and
    names them in a DataWarning.
    """
    path, size = Path(argument).expanduser(), options.image_size or DEFAULT_IMAGE_SIZE
    if not path.is_dir():
        found = "a file" if path.exists() else "nothing"
        raise InputError(f"Expected a folder of class folders at {path}, found {found}.")
    roots = _split_roots(path)
    names = tuple(_class_names(roots["train"]))
    files = {split: _list_files(root, names, split) for split, root in roots.items()}
    parts, broken = {}, {}
    for split, (paths, labels) in files.items():
        images = allocate((len(paths), *size, 3))
        errors = fill(images, lambda file: read_image(file, options.prepare or size), paths)
        parts[split] = Split(images, labels)
        if errors:
            parts[split] = take(parts[split], np.delete(np.arange(len(paths)), list(errors)))
        broken |= {paths[row]: error for row, error in errors.items()}
    if broken:
        _report_broken(broken, sum(len(paths) for paths, _ in files.values()), path, options.skip_broken)
    return parts, names


def _split_roots(path):
    if not _class_names(path / "train", required=False):
        return {"train": path}
    roots = {}
    for split, folders in _SPLIT_FOLDERS.items():
        found = [path / folder for folder in folders if (path / folder).is_dir()]
        if len(found) > 1:
            raise InputError(f"Expected one {split} folder in {path}, found {' and '.join(folders)}.")
        if found:
            roots[split] = found[0]
    return roots


def _class_names(root, required=True):
    names = sorted(entry.name for entry in root.iterdir() if _is_class(entry)) if root.is_dir() else []
    if required and not names:
        raise InputError(
            f"Expected a folder for each class in {root}, found none. Put the images of class A into "
            f"{root / 'A'}, and so on."
        )
    return names


def _is_class(entry):
    return entry.is_dir() and not entry.name.startswith((".", "__"))


def _list_files(root, names, split):
    present = _class_names(root)
    unknown = sorted(set(present) - set(names))
    if unknown:
        raise InputError(f"{root} has classes that training lacks: {', '.join(unknown)}.")
    files = {name: _images_below(root / name) for name in present}
    for name, found in files.items():
        if not found:
            raise InputError(
                f"The class folder {root / name} contains no images ({', '.join(IMAGE_SUFFIXES)}). Add some, "
                "or remove the folder."
            )
    labels = np.repeat([names.index(name) for name in files], [len(found) for found in files.values()])
    return [file for found in files.values() for file in found], labels.astype(np.int32)


def _images_below(folder):
    found = []
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(parent, name) for name in files if _is_image(name)]
    return sorted(found)


def _is_image(name):
    return not name.startswith(".") and name.lower().endswith(IMAGE_SUFFIXES)


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
