"""Validates data before training: errors that would otherwise appear late, or not at all, and warnings."""

import itertools

import numpy as np

from keras_vit.errors import InputError, counted, listed, warn
from keras_vit.io.label_kinds import CLASS, NUMBERS, SEVERAL, SOFT
from keras_vit.io.label_names import is_label_name
from keras_vit.training.data.caching import sample_of
from keras_vit.training.data.dataset import ImageData, Split
from keras_vit.training.data.label_kinds import counts_of

IMBALANCE = 10  # images of the largest class per image of the smallest at which it is reported
MOST_COLORS = 4  # channels of an image with transparency
OUTLIER = 100  # times the spread of 90 % of the numbers


def as_images(array, name: str):
    """Turns images into uint8 `(num_images, height, width, channels)`.

    They are integers or finite floats in [0, 255], which are rounded, with or without the axis of channels.
    """
    array = np.asarray(array)
    if array.ndim not in (3, 4) or not all(array.shape[1:]):
        raise InputError(
            f"Expected {name} of shape (num_images, height, width, channels), received {array.shape}."
        )
    channels = array.shape[1:2] if array.ndim == 4 else ()
    if channels and channels[0] in (1, 3, MOST_COLORS) and min(array.shape[2:]) > MOST_COLORS:
        raise InputError(
            f"Expected {name} of shape (num_images, height, width, channels), received {array.shape}, which "
            "has the channels first. Move them: numpy.moveaxis(images, 1, -1)."
        )
    if array.dtype.kind not in "uif":
        raise InputError(f"Expected {name} to contain pixels as uint8 or float, received {array.dtype}.")
    if array.dtype != np.uint8:
        array = _rounded(array, name)
    return array if array.ndim == 4 else array[..., np.newaxis]


def check_parts(parts: dict[str, Split], label_names, kind: str):
    """Checks the splits of a source, before missing ones are made and images resized."""
    for name, split in parts.items():
        if len(split.images) != len(split.labels):
            raise InputError(
                f"Expected as many images as labels in the {name} split, received {len(split.images)} "
                f"images and {counted(len(split.labels), 'label')}."
            )
        if not len(split):
            raise InputError(f"The {name} split is empty. Add images, or leave it out.")
        low, high = (split.labels.min(), split.labels.max()) if kind == CLASS else (0, 0)
        if low < 0 or high >= len(label_names):
            raise InputError(
                f"Expected {name} labels from 0 to {len(label_names) - 1} for "
                f"{counted(len(label_names), 'class', 'classes')}, received {low if low < 0 else high}."
            )
    if len(set(label_names)) != len(label_names):
        raise InputError(f"Expected a different name for each class, received {', '.join(label_names)}.")
    invalid = [repr(name) for name in label_names if not is_label_name(name)]
    if invalid:
        raise InputError(f"Expected the name of a class to be one line of text, received {listed(invalid)}.")
    if len(label_names) < 2 and kind in (CLASS, SOFT):
        raise InputError(f"Expected two classes or more, received only {', '.join(label_names)}.")
    if kind != CLASS and (wide := parts["train"].labels.shape[1]) != len(label_names):
        raise InputError(f"Expected a name for each of {wide} labels, received {listed(label_names, 5)}.")
    _check_all_in(parts["train"], label_names, kind)


def check_data(data: ImageData):
    """Checks the complete data set: each split has images, all of one shape, and training has all classes."""
    for name, split in data.splits.items():
        if not len(split):
            raise InputError(
                f"Nothing is left for the {name} split. Expected at least three different images of a class "
                f"(training, validation, test), of different groups where there are groups; the training "
                f"split has {counted(len(data.train), 'image')}."
            )
        shape = tuple(split.images.shape[1:])
        if shape != data.image_shape:
            raise InputError(
                f"Expected {name} images of shape {data.image_shape} as in training, received {shape}. "
                + (
                    "Set image_size to resize all of them."
                    if shape[-1] == data.image_shape[-1]
                    else "Give all of them the same channels."
                )
            )
    _check_all_in(data.train, data.label_names, data.label_kind)


def warn_duplicates(parts: dict[str, Split], source: str):
    """Warns about images that are in two of the source's own splits, or in two classes, pixel for pixel.

    Splits that are made from its training split share no image.
    """
    hashes = {name: split.identities() for name, split in parts.items()}
    for (one, first), (other, second) in itertools.combinations(hashes.items(), 2):
        count = int(np.isin(second, first).sum())
        if count:
            warn(
                f"{count:,} of {len(second):,} {other} images of {source} are in its {one} split too, pixel "
                f"for pixel: metrics on the {other} split are too good. Remove them from one of the two."
            )
    _warn_contradictions(parts, np.concatenate(list(hashes.values())), source)


def _warn_contradictions(parts, hashes, source):
    """Warns about equal images with different labels; those that are unknown, NaN, differ from none."""
    labels = np.concatenate([split.labels for split in parts.values()])
    order = np.argsort(hashes, kind="stable")
    same = hashes[order[1:]] == hashes[order[:-1]]
    one, other = labels[order[:-1]], labels[order[1:]]
    differ = (one != other) & ~np.isnan(one) & ~np.isnan(other)
    pairs = np.flatnonzero(same & differ.reshape(len(same), -1).any(axis=1))
    if len(pairs):
        names = [name for split in parts.values() for name in split.names()]
        shown = listed((f"{names[order[pair]]} and {names[order[pair + 1]]}" for pair in pairs), 3)
        count = int(np.isin(hashes, hashes[order[pairs]]).sum())
        warn(
            f"{count:,} of {counted(len(labels), 'image')} of {source} are there with different labels, "
            f"pixel for pixel: {shown}. No model can be right about all of them: correct the labels, or "
            "remove them."
        )


def warn_balance(data: ImageData):
    """Warns about classes with few training images, or with none in another split."""
    if data.label_kind == NUMBERS:
        return
    kind, num_classes = data.label_kind, data.num_classes
    counts = {name: counts_of(split.labels, kind, num_classes) for name, split in data.splits.items()}
    low, high = int(counts["train"].argmin()), int(counts["train"].argmax())
    few, many = counts["train"][[low, high]]
    if many >= IMBALANCE * few and kind == CLASS:
        warn(
            f"The classes are out of balance: {counted(many, 'training image')} of {data.label_names[high]}, "
            f"{few:,} of {data.label_names[low]}. Accuracy alone misleads: compare the "
            "classes one by one; class_weight=balanced gives each class the same weight."
        )
    for name in ("validation", "test"):
        missing = [data.label_names[index] for index in np.flatnonzero(counts[name] == 0)]
        if missing:
            warn(
                f"The {name} split has no image of {listed(missing)}: nothing is measured for "
                f"{len(missing)} of {counted(data.num_classes, 'class', 'classes')} there."
            )


def warn_outliers(data: ImageData):
    """Warns about a number that is so far from the others that it alone decides what is learned."""
    if data.label_kind != NUMBERS:
        return
    labels = data.train.labels.astype("float64")
    low, middle, high = np.quantile(labels, (0.05, 0.5, 0.95), axis=0)
    for index, name in enumerate(data.label_names):
        row = int(np.abs(labels[:, index] - middle[index]).argmax())
        far = abs(labels[row, index] - middle[index])
        if far > OUTLIER * (high[index] - low[index]):
            warn(
                f"{name} of {data.train.names()[row]} is {labels[row, index]:g}, where 90 % of the training "
                f"images have {low[index]:g} to {high[index]:g}: correct it if it is wrong, since it decides "
                "what is learned."
            )


def warn_pixels(data: ImageData):
    """Warns when the training images are constant, or seem to have another range than [0, 255]."""
    images = data.train.images
    if data.train.are_decoded:
        images = images.reduced(sample_of(len(images)))
    else:
        images = [images if isinstance(images, np.ndarray) else images[sample_of(len(images))]]
    low, high = min(int(image.min()) for image in images), max(int(image.max()) for image in images)
    if low == high:
        warn(f"All pixels of the training images are {low}: there is nothing to learn from.")
    elif high <= 1:
        warn("All pixels of the training images are 0 or 1, of 255. If 1 means white, multiply them by 255.")


def _rounded(array, name):
    low, high = array.min(initial=0), array.max(initial=0)  # NaN if there is any
    if array.dtype.kind == "f" and not (np.isfinite(low) and np.isfinite(high)):
        rows = [row for row, image in enumerate(array) if not np.isfinite(image).all()]
        raise InputError(
            f"Expected finite pixels in {name}, received NaN or infinite ones in {len(rows):,} of "
            f"{counted(len(array), 'image')}: {listed(rows)} (from 0). Remove them."
        )
    is_unit_range = array.dtype.kind == "f" and low >= 0 and 0 < high <= 1
    if low < 0 or high > 255 or is_unit_range:
        fix = " Multiply them by 255." if is_unit_range else ""
        raise InputError(f"Expected pixels from 0 to 255 in {name}, received {low:g} to {high:g}.{fix}")
    return np.round(array).astype(np.uint8)


def _check_all_in(train, label_names, kind):
    """Checks that the training images have each class and label, and numbers that vary."""
    if kind == NUMBERS:
        same = [label_names[index] for index in np.flatnonzero(np.ptp(train.labels, axis=0) == 0)]
        if same:
            raise InputError(f"All training images have the same {listed(same)}: there is nothing to learn.")
        return
    counts = counts_of(train.labels, kind, len(label_names))
    absent = [label_names[index] for index in np.flatnonzero(counts == 0)]
    if absent:
        hint = " Labels count from 0 in arrays." if counts[0] == 0 else ""
        raise InputError(
            f"Expected training images of all {counted(len(label_names), 'class', 'classes')}, found none "
            f"of {listed(absent)}. Give them some, or leave them out.{hint}"
        )
    if kind == SEVERAL and (counts == len(train)).any():
        always = [label_names[index] for index in np.flatnonzero(counts == len(train))]
        raise InputError(f"All training images have the label {listed(always)}: leave it out.")
