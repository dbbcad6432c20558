"""Image data sets by name: `load_data("digits")`, `load_data("folder:photos", image_size=64)`."""

from pathlib import Path

from keras_vit.errors import DataWarning, InputError
from keras_vit.io.images import checked_size
from keras_vit.training.data.checks import check_data, check_parts, warn_balance, warn_duplicates, warn_pixels
from keras_vit.training.data.dataset import ImageData, Split
from keras_vit.training.data.sources import LoadOptions, find_source
from keras_vit.training.data.split import complete_splits
from keras_vit.training.data.storage import resize

__all__ = ["DataWarning", "ImageData", "Split", "load_data"]


def load_data(
    spec: str,
    *,
    image_size: int | tuple[int, int] | None = None,
    validation_fraction: float = 0.1,
    test_fraction: float = 0.1,
    seed: int = 0,
    data_dir: str | Path | None = None,
    subset: int | None = None,
    skip_broken: bool = False,
) -> ImageData:
    """Loads a classification data set into uint8 arrays with a training, validation and test split.

    The splits of the source are kept. Missing ones are taken from its training split: the same fraction of
    each class, chosen by `seed` and the pixels alone, with equal images always in the same split
    (`keras_vit.training.data.split` states the rule).

    Args:
        spec: str, a source in `keras_vit.training.data.sources`: `"digits"` (1,797 images of 8 x 8 pixels,
            embedded), `"tfds:NAME"` (TensorFlow Datasets), `"folder:PATH"` (class folders of image files),
            `"npz:PATH"` and others.
        image_size: int or `(height, width)` in pixels. Images of another size are stretched to it with
            antialiased bilinear interpolation. By default the source's own size, for a folder 224.
        validation_fraction: float in (0, 1), of the training images left after the test split.
        test_fraction: float in (0, 1), of the training images.
        seed: int, chooses the splits and the subset.
        data_dir: str, Path or None, where TFDS keeps prepared sets; TFDS's own default if None.
        subset: int or None, the number of training images to keep, equally many of each class.
        skip_broken: bool, leave out images of a folder that cannot be read, with a warning that names them.

    Returns:
        ImageData.

    Raises:
        InputError: an unknown spec, missing or broken data, or data unfit for training.

    Warns:
        DataWarning: equal images in two splits of the source, unbalanced classes or classes missing from a
            split, constant pixels, images that were left out.

    Example:
        >>> data = load_data("digits", test_fraction=0.2)
        >>> data.image_shape, data.num_classes
        ((8, 8, 1), 10)
    """
    image_size = checked_size(image_size, "image_size")
    for name, fraction in (("validation_fraction", validation_fraction), ("test_fraction", test_fraction)):
        if not 0 < fraction < 1:
            raise InputError(f"Expected {name} between 0 and 1, received {fraction}.")
    source, argument, name = find_source(spec)
    parts, label_names = source.load(argument, LoadOptions(image_size, data_dir, skip_broken))
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
        parts = {key: resize(split, image_size) for key, split in parts.items()}
    data = ImageData(name=name, label_names=label_names, **parts)
    check_data(data)
    warn_balance(data)
    warn_pixels(data)
    return data
