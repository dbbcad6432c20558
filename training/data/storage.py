"""Arrays of images; those that exceed the memory are mapped to a temporary file."""

import math
import shutil
import tempfile
from collections.abc import Callable

import numpy as np

from keras_vit.errors import InputError
from keras_vit.io.images import resize_image
from keras_vit.io.progress import mapped

MEMORY_LIMIT = 2 * 1024**3  # bytes; larger arrays are mapped to a file
_CHUNK = 1024  # images copied or resized at a time


def allocate(shape: tuple[int, ...]) -> np.ndarray:
    """Allocates an uninitialized uint8 array, in memory or, above `MEMORY_LIMIT`, in a temporary file.

    The file has no name and is removed with the array. It is in the folder named by `TMPDIR`.
    """
    size = math.prod(shape)
    if size <= MEMORY_LIMIT:
        return np.empty(shape, np.uint8)
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free
    if free < size:
        raise InputError(
            f"The images need {size / 1e9:.1f} GB in {folder}, where {free / 1e9:.1f} GB are free. Choose a "
            "smaller image_size, or set TMPDIR to a folder on a larger disk."
        )
    with tempfile.TemporaryFile(dir=folder) as file:
        return np.memmap(file, np.uint8, mode="w+", shape=tuple(shape))


def take(images: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Returns copies of some images."""
    taken = allocate((len(rows), *images.shape[1:]))
    for start in range(0, len(rows), _CHUNK):
        chunk = rows[start : start + _CHUNK]
        taken[start : start + len(chunk)] = images[chunk]
    return taken


def resize(images: np.ndarray, size: tuple[int, int], prepare: Callable | None = None):
    """Returns images stretched, or prepared, to `(height, width)` pixels.

    Images that have the size stay as they are.
    """
    if images.shape[1:3] == tuple(size):
        return images
    resized = allocate((len(images), *size, images.shape[-1]))

    def resize_row(row):
        resized[row] = resize_image(images[row], prepare or size)

    for _ in mapped(resize_row, range(len(images)), "resizing images", _CHUNK):
        pass
    return resized
