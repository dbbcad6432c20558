"""Whether the decoded images of a data set are kept on the disk, by the space that they need."""

from pathlib import Path

import numpy as np

from keras_vit.errors import InputError
from keras_vit.io.cache_root import VARIABLE
from keras_vit.training.data.cache import Cache, free_space, remove_unused

SHARE = 0.5  # of the free space that the images of one data set may take
LEAST_SAMPLED = 32  # images that stand for all
_WORTH_SAYING = 100e6  # bytes


def open_cache(decoder, folder: Path | None) -> list[str]:
    """Gives a Decoder the cache of its images where they have space; returns lines that say so.

    `folder` is that of the data set, or None.
    """
    if folder is None:
        return []
    try:
        remove_unused(folder)
        cache = Cache(folder / decoder.key)
    except OSError as error:
        return [f"decoded images are not kept: {folder} cannot be written ({error.strerror})"]
    missing = cache.missing(decoder.stamps)
    needed = missing * _mean_size(decoder) if missing else 0
    free = free_space(folder)
    if needed > SHARE * free:
        cache.close()
        return [
            "decoded images are not kept, but decoded each time they are used: they need "
            f"{_in_words(needed)}, {_in_words(free)} are free in {cache.folder}; {VARIABLE} names another "
            "folder"
        ]
    decoder.cache = cache
    if needed < _WORTH_SAYING:
        return []
    return [f"decoded images are kept in {cache.folder}: {_in_words(needed)}, {_in_words(free)} are free"]


def sample_of(count: int, size: int = LEAST_SAMPLED) -> np.ndarray:
    """Returns the indices of some images that stand for `count`."""
    return np.unique(np.linspace(0, count - 1, min(count, size)).astype(int))


def _mean_size(decoder):
    """The bytes of a decoded image."""
    sizes = []
    for index in sample_of(len(decoder.items)).tolist():
        try:
            sizes.append(decoder.decode_early(index).size)
        except InputError:  # which the examination reports
            continue
    return np.mean(sizes) if sizes else 0


def _in_words(size):
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"
