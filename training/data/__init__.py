"""From a spec to images: `load_data("digits")`, `load_data("folder:photos", image_size=64)` ..."""

from pathlib import PurePath

from keras_vit.errors import InputError
from keras_vit.io.images import checked_size
from keras_vit.training.data.checks import check_data, check_parts
from keras_vit.training.data.dataset import ImageData, Split
from keras_vit.training.data.digits import read_digits
from keras_vit.training.data.folder import read_folder
from keras_vit.training.data.notices import DataWarning, warn_balance, warn_duplicates, warn_pixels
from keras_vit.training.data.npz import read_npz
from keras_vit.training.data.split import complete_splits
from keras_vit.training.data.storage import resize
from keras_vit.training.data.tfds import read_tfds

__all__ = ["DataWarning", "ImageData", "Split", "load_data"]

_ALLOWED = "digits, tfds:NAME, folder:PATH or npz:PATH"


def load_data(
    spec,
    *,
    image_size=None,
    validation_fraction=0.1,
    test_fraction=0.1,
    seed=0,
    data_dir=None,
    subset=None,
    skip_broken=False,
):
    """Loads a classification data set into uint8 arrays with a training, validation and test split.

    Splits that the source brings are kept as they are. Others are taken from its training split, the
    same fraction of each class, chosen by `seed` and the pixels alone, and so that equal images are
    never on two sides (`keras_vit.training.data.split` states the rule).

    Args:
        spec: str, one of `"digits"` (1,797 images of 8 x 8 pixels, embedded), `"tfds:NAME"`
            (TensorFlow Datasets), `"folder:PATH"` (class folders of image files) and `"npz:PATH"`.
        image_size: int or `(height, width)` in pixels. Images of another size are stretched to it with
            antialiased bilinear interpolation. By default the native size, for a folder 224.
        validation_fraction: float in (0, 1), of the training images that are left after the test split.
        test_fraction: float in (0, 1), of the training images.
        seed: int, chooses the splits and the subset.
        data_dir: str, Path or None, where TFDS keeps prepared sets; TFDS's own default if None.
        subset: int or None, the number of training images to keep, the same of each class.
        skip_broken: bool, of a folder leave out the images that cannot be read, and say which.

    Returns:
        ImageData.

    Raises:
        InputError: an unknown spec, missing or broken data, or data that cannot be trained on.

    Warns:
        DataWarning: images of the source in two of its splits, classes out of balance or absent from a
            split, pixels that hold nothing, images that were left out.

    Example:
        >>> data = load_data("digits", test_fraction=0.2)
        >>> data.image_shape, data.num_classes
        ((8, 8, 1), 10)
    """
    image_size = checked_size(image_size, "image_size")
    for name, fraction in (("validation_fraction", validation_fraction), ("test_fraction", test_fraction)):
        if not 0 < fraction < 1:
            raise InputError(f"Expected {name} between 0 and 1, received {fraction}.")
    kind, argument = _parse(spec)
    name = _short_name(kind, argument)
    parts, label_names = _read(kind, argument, image_size, data_dir, skip_broken)
    check_parts(parts, label_names)
    warn_duplicates(parts, name)
    parts = complete_splits(
        parts,
        validation_fraction=validation_fraction,
        test_fraction=test_fraction,
        seed=seed,
        subset=subset,
    )
    if image_size is not None:
        parts = {name: resize(split, image_size) for name, split in parts.items()}
    data = ImageData(name=name, label_names=label_names, **parts)
    check_data(data)
    warn_balance(data)
    warn_pixels(data)
    return data


def _parse(spec):
    kind, colon, argument = spec.partition(":") if isinstance(spec, str) else (None, "", "")
    needs_argument = {"digits": False, "tfds": True, "folder": True, "npz": True}.get(kind)
    if needs_argument is None or needs_argument != bool(argument) or bool(colon) != needs_argument:
        raise InputError(f"Unknown data {spec!r}. Expected {_ALLOWED}.")
    return kind, argument


def _read(kind, argument, image_size, data_dir, skip_broken):
    if kind == "digits":
        return read_digits()
    if kind == "tfds":
        return read_tfds(argument, image_size, data_dir)
    if kind == "folder":
        return read_folder(argument, image_size, skip_broken)
    return read_npz(argument)


def _short_name(kind, argument):
    if not argument:
        return kind
    return f"{kind}:{argument if kind == 'tfds' else PurePath(argument).name}"
