"""Images that a user gives: arrays, a tf.data.Dataset, a keras.utils.PyDataset, or `module:name` of one."""

import sys

import keras
import numpy as np

from keras_vit.errors import InputError, counted, warn
from keras_vit.importing import import_named, user_code
from keras_vit.training.data.checks import MOST_COLORS, as_images
from keras_vit.training.data.dataset import ImageData, Loaded, Split
from keras_vit.training.data.label_arrays import labels_of_splits
from keras_vit.training.data.label_columns import weights_of
from keras_vit.training.data.layout import ORDER, SPLITS
from keras_vit.training.memory import free_memory

ARGUMENT = "NAME"
_CHECKED = 64e6  # bytes that are read between two looks at the free memory
EXPECTED = (
    "(images, labels) or (images, labels, weights), a tf.data.Dataset or a keras.utils.PyDataset of them, a "
    "dict of these by split (train, validation, test), or a function or module:name that returns one of these"
)


def load(argument, options):
    """Loads what `module:name` or `FILE.py:name` is or, of a function, returns."""
    return load_given(import_named(argument, "the data"), argument, options)


def load_given(value, name: str, options) -> Loaded:
    """Returns what a user gave, and lines on how it was read.

    Images are uint8 or finite numbers in [0, 255], labels as `label_arrays.labels_of_array` takes them.
    Datasets are read into memory, once; those with an attribute `class_names` name the classes, else they are
    numbers.
    """
    if callable(value) and not isinstance(value, keras.utils.PyDataset):
        with user_code(f"{name} raised ", what=f"{name}()"):
            value = value()
    if isinstance(value, ImageData):
        return Loaded(value.splits, value.label_names, value.found, value.label_kind)
    parts = _by_split(value, name)
    read = {split: _read(part, f"{split} of {name}") for split, part in parts.items()}
    labels, known = labels_of_splits(
        {split: labels for split, (_, labels, *_) in read.items()},
        {split: f"labels of {split} of {name}" for split in read},
        options.label_kind,
    )
    splits = {split: Split(images, labels[split], weights) for split, (images, _, weights, _) in read.items()}
    if len({split.weights is None for split in splits.values()}) > 1:
        raise InputError(f"Expected weights in all splits of {name}, or in none.")
    found = next((names for *_, names in read.values() if names), None)
    names = tuple(map(str, found)) if found else known.names or _numbers(splits, name)
    size = sum(split.images.nbytes for split in splits.values())
    copies = "" if len(splits) == len(ORDER) else ", and copied into the splits that are made of it"
    kind = _kind(next(iter(parts.values())))
    line = f"{kind}, as a whole in memory: {_megabytes(size)} of pixels{copies}"
    return Loaded(splits, names, [line, *known.lines], known.kind)


def _by_split(value, name):
    if not isinstance(value, dict):
        return {"train": value}
    splits = {SPLITS.get(str(key).casefold()): part for key, part in value.items()}
    if None in splits or "train" not in splits or len(splits) < len(value):
        raise InputError(
            f"Expected {name} to have the splits train and perhaps validation and test, received "
            f"{', '.join(map(str, value)) or 'none'}."
        )
    return splits


def _read(value, where):
    """Images, labels, weights and class names, the last two or None."""
    names = getattr(value, "class_names", None)
    if is_dataset(value) or isinstance(value, keras.utils.PyDataset):
        value = _collected(value, where)
    if not isinstance(value, tuple | list) or len(value) not in (2, 3):
        raise InputError(f"Expected {where} to be {EXPECTED}, received {type(value).__name__}.")
    images, weights = as_images(value[0], f"images of {where}"), None
    if len(value) == 3:
        given = np.asarray(value[2])
        if given.shape != images.shape[:1]:
            raise InputError(
                f"Expected a weight for each of {counted(len(images), 'image')} of {where}, received "
                f"{given.shape}."
            )
        weights = weights_of(given.tolist(), f"weights of {where}")
    return images, np.asarray(value[1]), weights, names


def _collected(dataset, where):
    """The images and labels of all elements, which may be batches."""
    batches, count = _elements(dataset, where)
    images, others, size, checked = [], [], 0, 0
    for batch in batches:
        if not isinstance(batch, tuple | list) or len(batch) not in (2, 3):
            raise InputError(
                f"Expected the elements of {where} to be (images, labels), received {_words(batch)}."
            )
        image, *more = (np.asarray(keras.ops.convert_to_numpy(part)) for part in batch)
        if not images:
            _warn_of_memory(count, image.nbytes, where)
        size += image.nbytes
        if size - checked > _CHECKED:
            _check_memory(size, where)
            checked = size
        is_batch = _are_several(image, more[0])
        images.append(image if is_batch else image[None])
        others.append(more if is_batch else [part[None] for part in more])
    if not images:
        raise InputError(f"Expected images in {where}, received an empty dataset.")
    shapes = {image.shape[1:] for image in images}
    if len(shapes) != 1:
        raise InputError(
            f"Expected images of one shape in {where}, received {len(shapes)} shapes, such as "
            f"{' and '.join(map(str, sorted(shapes)[:2]))}. Resize them in the dataset."
        )
    return np.concatenate(images), *(np.concatenate(parts) for parts in zip(*others, strict=True))


def _check_memory(size, where):
    """Refuses what does not fit, such as a dataset without end, before the system ends the process."""
    free = free_memory()
    if free is not None and size > free:  # which are copied once more as they are joined
        raise InputError(
            f"{where} does not end, or does not fit into memory: {_megabytes(size)} of images were read, and "
            f"{_megabytes(free)} are free. Add take(n), or give image files: folder:PATH, table:FILE or "
            "shards:PATH."
        )


def _are_several(image, label):
    """Whether an element of a dataset is a batch, perhaps of grey images without an axis of channels."""
    if image.ndim != 3:
        return image.ndim > 3
    return image.shape[-1] > MOST_COLORS and label.shape[:1] == image.shape[:1]


def _warn_of_memory(count, nbytes, where):
    """Warns where the images of a dataset will not fit; `count` elements of so many bytes, or None."""
    free, needed = free_memory(), None if count is None else 2 * count * nbytes  # as parts and joined
    if None not in (free, needed) and needed > free:
        warn(
            f"Reading all of {where} into memory takes about {_megabytes(needed)}, {_megabytes(free)} are "
            "free. Give uint8 instead of floats, or image files: folder:PATH, table:FILE or shards:PATH."
        )


def _elements(dataset, where):
    """The elements of a dataset, and their number or None where it is not known."""
    if isinstance(dataset, keras.utils.PyDataset):
        if dataset.num_batches is None:
            raise InputError(f"{where} does not end: give it a length.")
        return (dataset[index] for index in range(dataset.num_batches)), dataset.num_batches
    import tensorflow as tf

    if dataset.cardinality() == tf.data.INFINITE_CARDINALITY:
        raise InputError(f"{where} does not end: leave out repeat(), or add take(n).")
    return dataset, None if dataset.cardinality() < 0 else int(dataset.cardinality())


def _numbers(splits, name):
    count = 1 + max(int(split.labels.max(initial=-1)) for split in splits.values())
    if count > max(len(split) for split in splits.values()):
        raise InputError(f"Expected labels that count classes from 0 in {name}, received {count - 1}.")
    return tuple(str(index) for index in range(count))


def _kind(value):
    return "arrays" if isinstance(value, tuple | list) else type(value).__name__.lstrip("_")


def is_dataset(value) -> bool:
    """Returns whether a value is a tf.data.Dataset; TensorFlow is not imported for that."""
    tensorflow = sys.modules.get("tensorflow")
    return tensorflow is not None and isinstance(value, tensorflow.data.Dataset)


def _words(value):
    return ", ".join(map(str, value)) if isinstance(value, dict) else type(value).__name__


def _megabytes(size):
    return f"{size / 1e6:,.1f} MB"
