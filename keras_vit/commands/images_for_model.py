"""Images of a spec such as `folder:photos`, as a model takes them."""

import math
import os

import numpy as np

from keras_vit.commands.arguments import selected
from keras_vit.commands.image_files import image_files
from keras_vit.errors import InputError, counted, listed, warn
from keras_vit.io.label_kinds import SOFT

SCALES = {"0:255": None, "0:1": (1 / 255, 0.0), "-1:1": (2 / 255, -1.0)}  # factor and shift; None for bytes
MOST_TESTED, MOST_TRAINING = 10_000, 8192  # images, of those that are decoded when they are used
GREY = np.array((0.299, 0.587, 0.114))  # of red, green and blue, as Pillow's


def preparation_for(found, shape, geometry=None):
    """Returns the `Preprocessing` of images for the input `(height, width, channels)` of a found model."""
    from keras_vit.io.preprocessing import Preprocessing

    *size, channels = shape
    known = found.preprocessing
    if known is None:
        return Preprocessing.of(geometry or "stretch", size, *[(0.5,) * channels] * 2)
    if geometry not in (None, known.geometry):
        raise InputError(
            f"{found.name} takes images with geometry {known.geometry}, received --geometry {geometry}. "
            "Leave it out."
        )
    return known.for_size(size)


def taken(found, preparation, geometry=None) -> str:
    """Returns in words how images are prepared, and why so."""
    if found.preprocessing is not None:
        return f"prepared as the weights expect: {preparation.words}"
    reason = "" if geometry else "; there is no preprocessing.json or record of it, --geometry changes it"
    return f"{preparation.words}{reason}"


def read_images(spec, found, options) -> dict:
    """Returns the fields of `Items`: the test split, and the training split for calibration."""
    from keras_vit.training import load_data
    from keras_vit.training.geometry import prepare_option
    from keras_vit.training.load import text_loader

    shape, pixels = _image_shape(found, spec), options.pixels
    if text_loader(spec):
        raise InputError(f"{spec} is text, and {found.name} takes images.")
    size = _image_size(found, shape)
    prepare = size and preparation_for(found, (*size, shape[-1]), options.geometry)
    if prepare and options.no_labels and (files := _files_of_no_class(spec)):
        return _unlabelled(files, prepare, shape[-1], found, options)
    given = (prepare and prepare_option(prepare)) or {"geometry": options.geometry or "stretch"}
    read = selected(options, "label_column", "label_kind", "skip_broken")
    data = load_data(spec, data_dir=options.data_dir, image_size=size, **read, **given)
    if prepare is None:
        prepare = preparation_for(found, (*data.image_shape[:2], shape[-1]), options.geometry)
    words = [f"images {taken(found, prepare, options.geometry)}", f"values {pixels or '0:255'}"]
    splits = loaded(data)
    test, train = (_fitted(split.images, shape[-1], pixels) for split in splits)
    if data.image_shape[-1] != shape[-1]:
        words.append("grey made RGB" if shape[-1] == 3 else "RGB made grey")
    print("\n".join(data.summary()))
    print(f"taken: the test split; {', '.join(words)}")
    kind, of_test = data.label_kind, splits[0].labels
    labels, names = (None, found.label_names) if options.no_labels else _labels(data, of_test, found, kind)
    return {
        "inputs": test,
        "labels": labels,
        "calibration": train,
        "label_names": names,
        **_record(pixels, prepare),
    }


def _record(pixels, prepare):
    return {"preparation": {"pixels": pixels or "0:255"}, "preprocessing": prepare}


def _files_of_no_class(spec):
    """Returns the images of a folder without folders inside, or None: the data of a training have classes."""
    kind, _, folder = spec.partition(":")
    if kind != "folder" or not os.path.isdir(folder) or any(entry.is_dir() for entry in os.scandir(folder)):
        return None
    files = image_files([folder])
    return files[:: math.ceil(len(files) / MOST_TESTED)]


def _unlabelled(files, prepare, channels, found, options):
    from keras_vit.io.images import read_image

    images = []
    for file in files:
        try:
            images.append(read_image(file, prepare, channels))
        except InputError as error:
            if not options.skip_broken:
                raise InputError(f"{error} To leave such images out: --skip-broken.") from error
            warn(f"{error} It is left out.")
    if not images:
        raise InputError(f"None of {counted(len(files), 'image')} can be read.")
    images = np.stack(images)
    print(
        f"taken: {counted(len(images), 'image')}, {taken(found, prepare, options.geometry)}, "
        f"values {options.pixels or '0:255'}"
    )
    images = _fitted(images, channels, options.pixels)
    return {"inputs": images, "label_names": found.label_names, **_record(options.pixels, prepare)}


def loaded(data):
    """Returns the test and the training split with images as arrays, and prints where these are not all."""
    splits = data.test.loaded(MOST_TESTED), data.train.loaded(MOST_TRAINING)
    for name, split, whole in zip(("test", "training"), splits, (data.test, data.train), strict=True):
        if len(split) < len(whole):
            print(f"taken: {len(split):,} of {len(whole):,} {name} images, evenly chosen")
    return splits


def _image_shape(found, spec):
    shapes = [tensor.shape for tensor in found.inputs]
    if len(shapes) != 1 or len(shapes[0]) != 3 or shapes[0][-1] not in (1, 3):
        raise InputError(
            f"{spec} has images, and {found.name} takes {listed(shapes) or 'unknown inputs'}. Give npz:PATH "
            "or module:name with arrays for its inputs."
        )
    return shapes[0]


def _image_size(found, shape):
    """`(height, width)` in pixels, or None for a model of any size, where the data decide."""
    if None not in shape[:2]:
        return shape[:2]
    return found.preprocessing and found.preprocessing.image_size


def _fitted(images, channels, pixels):
    if images.shape[-1] == 1 and channels == 3:
        images = np.repeat(images, 3, axis=-1)
    elif images.shape[-1] == 3 and channels == 1:
        images = np.rint(images @ GREY).astype("uint8")[..., None]
    scale = SCALES[pixels or "0:255"]
    return images if scale is None else (images * scale[0] + scale[1]).astype("float32")


def _labels(data, labels, found, kind):
    """The labels by the model's own names where it has them, and the names; of shares the largest class."""
    names = tuple(data.label_names)
    labels = labels.argmax(axis=1).astype("int32") if kind == SOFT else labels
    if found.label_names is None or found.label_names == names:
        return labels, names
    unknown = [name for name in names if name not in found.label_names]
    if unknown:
        raise InputError(
            f"The data have classes that {found.name} has not: {listed(unknown, 5)}; it has "
            f"{listed(found.label_names, 5)}. Rename the folders, or add --no-labels."
        )
    places = np.array([found.label_names.index(name) for name in names], "int32")
    if labels.ndim == 1:
        return places[labels], found.label_names
    if len(places) < len(found.label_names):
        raise InputError(
            f"The data have {len(names)} of the {counted(len(found.label_names), 'label')} of {found.name}: "
            "what the others are is not known. Add their columns, or add --no-labels."
        )
    return labels[:, np.argsort(places)], found.label_names
