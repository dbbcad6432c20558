"""Validates data before training: errors that would otherwise appear late, or not at all."""

import numpy as np

from keras_vit.errors import InputError, listed
from keras_vit.io.label_names import is_label_name


def as_images(array, name):
    """Turns an array of images into uint8.

    Args:
        array: `(num_images, height, width)` or `(num_images, height, width, channels)`, integers or
            finite floats in [0, 255]; floats are rounded.
        name: str, how errors refer to it.

    Returns:
        uint8 array `(num_images, height, width, channels)`.

    Raises:
        InputError: another shape or type, NaN or infinite pixels, or pixels outside [0, 255].
    """
    array = np.asarray(array)
    if array.ndim not in (3, 4) or not all(array.shape[1:]):
        raise InputError(
            f"Expected {name} of shape (num_images, height, width, channels), received {array.shape}."
        )
    if array.dtype.kind not in "uif":
        raise InputError(f"Expected {name} to contain pixels as uint8 or float, received {array.dtype}.")
    if array.dtype != np.uint8:
        array = _rounded(array, name)
    return array if array.ndim == 4 else array[..., np.newaxis]


def as_labels(array, name):
    """Turns an array of class indices into int32.

    Args:
        array: integers, `(num_images,)` or `(num_images, 1)`.
        name: str, how errors refer to it.

    Returns:
        int32 array `(num_images,)`.

    Raises:
        InputError: another shape, floats, or negative labels.
    """
    array = np.asarray(array)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise InputError(
            f"Expected {name} to contain one class index for each image, of shape (num_images,), received "
            f"{array.shape}. Take the argmax of one-hot labels."
        )
    if array.dtype.kind not in "ui":
        raise InputError(f"Expected {name} to be integers from 0, received {array.dtype}.")
    if array.size and not 0 <= int(array.min()) <= int(array.max()) <= np.iinfo(np.int32).max:
        raise InputError(
            f"Expected {name} to be class indices from 0, received {int(array.min())} to {int(array.max())}."
        )
    return array.astype(np.int32)


def check_parts(parts, label_names):
    """Checks the splits of a source, before missing ones are made and images resized.

    Args:
        parts: dict of Split by its name.
        label_names: tuple of str.

    Raises:
        InputError: no training images, different numbers of images and labels, labels out of range,
            one class only, or names that repeat or are not one line of text.
    """
    for name, split in parts.items():
        if len(split.images) != len(split.labels):
            raise InputError(
                f"Expected as many images as labels in the {name} split, received {len(split.images)} "
                f"images and {len(split.labels)} labels."
            )
        if not len(split):
            raise InputError(f"The {name} split is empty. Add images, or leave it out.")
        _check_range(name, split.labels, label_names)
    if len(set(label_names)) != len(label_names):
        raise InputError(f"Expected a different name for each class, received {', '.join(label_names)}.")
    invalid = [repr(name) for name in label_names if not is_label_name(name)]
    if invalid:
        raise InputError(f"Expected the name of a class to be one line of text, received {listed(invalid)}.")
    if len(label_names) < 2:
        raise InputError(f"Expected two classes or more, received only {', '.join(label_names)}.")
    _check_all_classes_in("training", parts["train"], label_names)


def check_data(data):
    """Checks the complete data set.

    Args:
        data: ImageData.

    Raises:
        InputError: a split is empty or of another image shape, or a class is missing from training.
    """
    for name in ("train", "validation", "test"):
        split = getattr(data, name)
        if not len(split):
            raise InputError(
                f"Nothing is left for the {name} split. Expected at least three different images of a class "
                f"(training, validation, test); the training split has {len(data.train)} images."
            )
        shape = tuple(split.images.shape[1:])
        if shape != data.image_shape:
            raise InputError(
                f"Expected {name} images of shape {data.image_shape} as in training, received {shape}. "
                "Set image_size to resize all of them."
            )
    _check_all_classes_in("training", data.train, data.label_names)


def _rounded(array, name):
    low, high = array.min(initial=0), array.max(initial=0)  # NaN if there is any
    if array.dtype.kind == "f" and not (np.isfinite(low) and np.isfinite(high)):
        rows = [row for row, image in enumerate(array) if not np.isfinite(image).all()]
        raise InputError(
            f"Expected finite pixels in {name}, received NaN or infinite ones in {len(rows):,} of "
            f"{len(array):,} images: {listed(rows)} (from 0). Remove them."
        )
    if low < 0 or high > 255:
        raise InputError(f"Expected pixels from 0 to 255 in {name}, received {low:g} to {high:g}.")
    if array.dtype.kind == "f" and 0 < high <= 1:
        raise InputError(
            f"Expected pixels from 0 to 255 in {name}, received {low:g} to {high:g}. Multiply them by 255."
        )
    return np.round(array).astype(np.uint8)


def _check_range(name, labels, label_names):
    if labels.max() >= len(label_names):
        raise InputError(
            f"Expected {name} labels from 0 to {len(label_names) - 1} for {len(label_names)} classes, "
            f"received {labels.max()}."
        )


def _check_all_classes_in(name, split, label_names):
    counts = np.bincount(split.labels, minlength=len(label_names))
    absent = [label_names[index] for index in np.flatnonzero(counts == 0)]
    if absent:
        raise InputError(
            f"Expected {name} images of all {len(label_names)} classes, found none of {listed(absent)}. "
            "Labels count from 0."
        )
