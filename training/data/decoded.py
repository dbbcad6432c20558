"""Images that are decoded when they are used, in place of an array: `DecodedImages`."""

import concurrent.futures
import dataclasses
import functools
import math
import os
from collections.abc import Callable

import numpy as np

from keras_vit.io.images import Changes, decode_reduced, reduced_side, resize_image
from keras_vit.io.preprocessing import WHITE
from keras_vit.io.resampling import resize_part
from keras_vit.training.data.cache import Cache
from keras_vit.training.data.kept import keep_arrays, kept_arrays
from keras_vit.training.data.random_crop import RandomCrop

_VERSION = "-3"  # of what decoding gives
_CONTENTS = "contents2.npz"  # another name for another meaning
IN_MEMORY = 512 * 1024**2  # bytes of a data set's prepared images, up to which they stay there
_TOGETHER = 16  # images that one thread reads, one after another


@functools.cache
def _threads():
    return concurrent.futures.ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="decoding")


class Decoder:
    """Decodes the items of a source, or finds them in the cache.

    Args:
        items: encoded images, see `keras_vit.training.data.items`.
        prepare: `(height, width)` to which images are stretched, or a function of a uint8 image.
        size: `(height, width)` of the prepared images.
        channels: 1 or 3.
    """

    def __init__(self, items, prepare, size: tuple[int, int], channels: int = 3):
        self.items, self.prepare = items, prepare or size
        self.cache: Cache | None = None  # of images that are reduced but not prepared
        self.folder = None  # of what is kept of the data set
        self.shape = (*size, channels)
        self.least_side = reduced_side(size)
        self.background = getattr(prepare, "background", WHITE)
        self.window = getattr(prepare, "window", None)
        self.stamps = items.stamps()
        is_small = len(items) * math.prod(self.shape) <= IN_MEMORY
        self._prepared = {} if is_small else None
        self.thumbnails = {}  # of the search for near-duplicates, by index, made before it
        self._early = {}  # decoded before they are needed: images and their Changes, by index

    @functools.cached_property
    def contents(self) -> np.ndarray:
        """A uint64 for each item that is the same for equal ones, kept in `folder` if there is one."""
        contents = kept_arrays(self.folder, _CONTENTS, self.stamps).get("contents")
        if contents is None:
            contents = self.items.contents()
            keep_arrays(self.folder, _CONTENTS, self.stamps, contents=contents)
        return contents

    def read(self, index: int) -> np.ndarray:
        """Returns an image, reduced but not prepared, uint8 `(height, width, channels)`."""
        image = None if self.cache is None else self.cache.get(self.stamps[index])
        if image is None:
            image = self.decode(index)
            self.keep(index, image)
        return image

    def cropped(self, index: int, crop: RandomCrop, uniforms: np.ndarray) -> np.ndarray:
        """Returns a random part of an image, resized to `shape`; of a kept one its rows alone are read."""
        size, stamp = self.shape[:2], self.stamps[index]
        known = None if self.cache is None else self.cache.shape(stamp)
        if known is None:
            return crop(self.read(index), uniforms, size)
        left, top, right, bottom = crop.box(known[1], known[0], uniforms)
        first, end = int(top), math.ceil(bottom)
        rows = self.cache.get(stamp, first, end)
        if rows is None:  # another program cut the file
            return crop(self.read(index), uniforms, size)
        return resize_part(rows, (left, top - first, right, bottom - first), size)

    def use_window(self, window: tuple[int, int]):
        """Scales 16-bit images by another window."""
        self.window = window
        self.thumbnails.clear()
        self._early.clear()
        if dataclasses.is_dataclass(self.prepare):
            self.prepare = dataclasses.replace(self.prepare, window=window)

    def keep(self, index: int, image: np.ndarray):
        """Adds a decoded image to the cache, if there is one."""
        if self.cache is not None:
            self.cache.put(self.stamps[index], image)

    def decode(self, index: int, changes: Changes | None = None) -> np.ndarray:
        """Decodes an image, reduced but not prepared, and counts what that changed."""
        image, found = self._early.pop(index, None) or self._decoded(index)
        if changes is not None:
            changes.add(found)
        return image

    def decode_early(self, index: int) -> np.ndarray:
        """Decodes an image as `decode`, which gives it back once without decoding it again."""
        self._early[index] = self._decoded(index)
        return self._early[index][0]

    def _decoded(self, index):
        found, name = Changes(), self.items.name(index)
        data = self.items.read(index)
        image = decode_reduced(
            data, name, self.least_side, self.shape[-1], found, self.background, self.window
        )
        return image, found

    @property
    def key(self) -> str:
        """A name for images that are decoded alike."""
        window = "" if self.window is None else "-{}-{}".format(*self.window)
        background = "" if self.background == WHITE else "-{:02x}{:02x}{:02x}".format(*self.background)
        return f"{self.least_side}-{self.shape[-1]}{window}{background}{_VERSION}"

    def prepared(self, index: int) -> np.ndarray:
        """Returns an image of `shape`. Those of small sets stay in memory."""
        image = None if self._prepared is None else self._prepared.get(index)
        if image is None:
            image = resize_image(self.read(index), self.prepare)
            if self._prepared is not None:
                self._prepared[index] = image
        return image


class DecodedImages:
    """Some of a source's images. Indexed by a row, a slice or several rows, it gives uint8 arrays."""

    dtype = np.dtype(np.uint8)
    ndim = 4

    def __init__(self, decoder: Decoder, indices: np.ndarray):
        self.decoder, self.indices = decoder, np.asarray(indices)

    def __len__(self):
        return len(self.indices)

    @property
    def shape(self) -> tuple[int, ...]:
        """`(num_images, height, width, channels)`."""
        return (len(self), *self.decoder.shape)

    def __getitem__(self, rows) -> np.ndarray:
        indices = self.indices[rows]
        if indices.ndim == 0:
            return self.decoder.prepared(int(indices))
        return self._filled(self.decoder.prepared, indices)

    def __array__(self, dtype=None, copy=None):
        images = self[:]
        return images if dtype is None else images.astype(dtype, copy=False)

    def take(self, rows) -> "DecodedImages":
        """Returns some of these images. Nothing is decoded."""
        return DecodedImages(self.decoder, self.indices[rows])

    def reduced(self, rows: np.ndarray) -> list[np.ndarray]:
        """Returns some of these images, each reduced but not prepared, of its own size."""
        return list(_threads().map(self.decoder.read, self.indices[rows].tolist()))

    def names(self) -> list[str]:
        """Returns what each image is called, such as the path of its file."""
        return [self.decoder.items.name(index) for index in self.indices.tolist()]

    def contents(self) -> np.ndarray:
        """Returns a uint64 for each image that is the same for equal files."""
        return self.decoder.contents[self.indices]

    def cropped(
        self, rows: np.ndarray, crop: RandomCrop, uniforms: np.ndarray, flipped: np.ndarray | None = None
    ) -> np.ndarray:
        """Returns a random part of each of some images, resized to their shape.

        `uniforms` are `(num_rows, RandomCrop.UNIFORMS)` in [0, 1); `flipped`, bool `(num_rows,)` or None,
        says which are mirrored left-right after that.
        """

        def read(index, numbers):
            return self.decoder.cropped(index, crop, numbers)

        return self._filled(read, self.indices[rows], uniforms, flipped=flipped)

    def _filled(self, read: Callable, indices, *others, flipped=None) -> np.ndarray:
        images = np.empty((len(indices), *self.decoder.shape), np.uint8)
        given = list(zip(indices.tolist(), *others, strict=True))
        mirrored = np.zeros(len(given), bool) if flipped is None else flipped

        def fill(start):
            for row, each in enumerate(given[start : start + _TOGETHER], start):
                copy = _mirror if mirrored[row] else np.copyto
                copy(images[row], read(*each))

        for _ in _threads().map(fill, range(0, len(given), _TOGETHER)):
            pass  # an error in a thread is raised here
        return images


def _mirror(target, image):
    """Copies an image, mirrored left-right; channel by channel, which NumPy does five times as fast."""
    for channel in range(image.shape[-1]):
        target[..., channel] = image[:, ::-1, channel]
