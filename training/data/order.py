"""The images of each batch and their random numbers: functions of (seed, epoch, step) alone.

There is no state, so a stream can start anywhere, and is the same on every backend.
"""

import dataclasses
import functools

import keras
import numpy as np

from keras_vit.errors import InputError, counted


def steps_per_epoch(num_images: int, batch_size: int) -> int:
    """Returns the number of full batches in an epoch; the rest of the images is left out.

    Example:
        >>> steps_per_epoch(50_000, 128)
        390
    """
    check_batch_size(batch_size)
    if num_images < batch_size:
        raise InputError(
            f"Expected at least one batch of {counted(batch_size, 'training image')}, received "
            f"{counted(num_images, 'image')}. Lower batch_size."
        )
    return num_images // batch_size


def check_batch_size(batch_size):
    """Raises InputError unless batch_size is a whole number of at least 1."""
    if isinstance(batch_size, bool) or not isinstance(batch_size, int | np.integer) or batch_size < 1:
        raise InputError(f"Expected batch_size to be a whole number of at least 1, received {batch_size!r}.")


@functools.lru_cache(maxsize=2)  # each step of an epoch calls it
def epoch_order(seed, epoch, num_images, batch_size):
    """Returns the indices of an epoch's images: int64 `(steps_per_epoch, batch_size)`, read-only."""
    order = np.random.default_rng((seed, epoch)).permutation(num_images)
    order.setflags(write=False)
    steps = num_images // batch_size
    return order[: steps * batch_size].reshape(steps, batch_size)


class Sampling:
    """Which images each epoch has: each once, or of each of the groups `strata` equally many.

    Those of small groups come several times, in another order each time.
    """

    def __init__(self, num_images: int, strata: np.ndarray | None = None):
        self.num_images, self.strata = num_images, strata
        self._latest = (None, None)

    def order(self, seed: int, epoch: int, batch_size: int) -> np.ndarray:
        """Returns the indices of an epoch's images: int64 `(steps_per_epoch, batch_size)`, read-only."""
        if self.strata is None:
            return epoch_order(seed, epoch, self.num_images, batch_size)
        key, found = self._latest
        if key != (seed, epoch, batch_size):
            found = balanced_order(seed, epoch, self.strata, batch_size)
            self._latest = (seed, epoch, batch_size), found
        return found


def balanced_order(seed, epoch, strata, batch_size):
    """Returns indices of an epoch's images in which each group of images is equally frequent.

    There are as many as images; see `epoch_order`.
    """
    generator, count = np.random.default_rng((seed, epoch, 1)), len(strata)
    groups = [np.flatnonzero(strata == group) for group in np.unique(strata)]
    shares = np.diff(np.arange(len(groups) + 1) * count // len(groups))
    drawn = []
    for rows, share in zip(groups, shares, strict=True):
        turns = [generator.permutation(rows) for _ in range(-(-share // len(rows)))]
        drawn.append(np.concatenate([*turns, rows[:0]])[:share])
    order = generator.permutation(np.concatenate(drawn))
    order.setflags(write=False)
    steps = count // batch_size
    return order[: steps * batch_size].reshape(steps, batch_size)


def batch_uniforms(seed, epoch, step, shape):
    """Returns the random numbers of a batch in [0, 1): float32 of that shape."""
    key = np.array([seed, (epoch << 32) + step], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key)).random(shape, dtype=np.float32)


@functools.lru_cache(maxsize=2)
def alternating_flips(seed: int, epoch: int, num_images: int) -> np.ndarray:
    """Returns which images are flipped in an epoch, each in every other one: bool `(num_images,)`."""
    flipped = (np.random.default_rng((seed, num_images, 2)).random(num_images) < 0.5) ^ bool(epoch % 2)
    flipped.setflags(write=False)
    return flipped


def crop_uniforms(seed, epoch, step, shape):
    """Returns the random numbers of a batch's crops, others than `batch_uniforms`: float32 in [0, 1)."""
    key = np.array([seed, (epoch << 32) + step], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key).jumped(2)).random(shape, dtype=np.float32)


def batch_seed(seed, epoch, step):
    """Returns the seed of a batch for random functions without state: int32 `(2,)`."""
    key = np.array([seed, (epoch << 32) + step], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key).jumped()).integers(0, 2**31, 2).astype(np.int32)


@dataclasses.dataclass(frozen=True)
class Share:
    """A process's part of each batch, where several train together; what is left over belongs to none.

    Attributes:
        index: int, which part.
        count: int, the number of parts.

    Example:
        >>> share = Share(1, 2)
        >>> share.of(list(range(6))), share.of(slice(10, 15))
        ([3, 4, 5], slice(12, 14, None))
    """

    index: int = 0
    count: int = 1

    def of(self, rows):
        """Returns this part of rows: of an array, of nested arrays, or of a slice that has both ends."""
        if isinstance(rows, slice):
            size = (rows.stop - rows.start) // self.count
            start = rows.start + self.index * size
            return slice(start, start + size)
        if isinstance(rows, tuple | dict):
            return keras.tree.map_structure(self.of, rows)
        size = len(rows) // self.count
        return rows[self.index * size : (self.index + 1) * size]


WHOLE = Share()
