"""A data set of images: three splits of uint8 images in random-access arrays."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from keras_vit.errors import counted, listed
from keras_vit.io.label_kinds import CLASS
from keras_vit.io.preprocessing import Preprocessing
from keras_vit.training.data.caching import sample_of
from keras_vit.training.data.decoded import DecodedImages
from keras_vit.training.data.items import hashes
from keras_vit.training.data.label_kinds import words_of_labels
from keras_vit.training.data.random_crop import RandomCrop
from keras_vit.training.data.storage import allocate, take

SHOWN = 12  # classes


@dataclasses.dataclass(frozen=True, eq=False)
class Split:
    """Images and their labels."""

    images: np.ndarray | DecodedImages  # uint8 (num_images, height, width, channels) in [0, 255]
    labels: np.ndarray  # as label_kinds has them: of classes int32 (num_images,), indices from 0
    weights: np.ndarray | None = None  # float32 (num_images,), of each image in training; None: all the same
    ids: np.ndarray | None = None  # of images in an array: names, or rows of the source; None: its own rows
    groups: np.ndarray | None = None  # int (num_images,), equal for what belongs together; None: nothing does

    def __len__(self):
        return len(self.labels)

    @property
    def are_decoded(self) -> bool:
        """Whether the images are decoded when they are used."""
        return isinstance(self.images, DecodedImages)

    @property
    def num_groups(self) -> int | None:
        """How many groups the images are in, or None where each is alone."""
        count = len(self) if self.groups is None else len(np.unique(self.groups))
        return count if count < len(self) else None

    def take(self, rows: np.ndarray) -> "Split":
        """Returns some of the images; those of an array are copied."""
        images = self.images.take(rows) if self.are_decoded else take(self.images, rows)
        ids = None if self.are_decoded else self._ids()[rows]
        return Split(images, self.labels[rows], self._weights(rows), ids, self._groups(rows))

    def joined(self, other: "Split") -> "Split":
        """Returns the images of two splits of one source, whose groups are not known yet."""
        labels = np.concatenate([self.labels, other.labels])
        both = None if self.weights is None else np.concatenate([self.weights, other.weights])
        if self.are_decoded:
            indices = np.concatenate([self.images.indices, other.images.indices])
            return Split(DecodedImages(self.images.decoder, indices), labels, both)
        images = allocate((len(labels), *self.images.shape[1:]))
        np.concatenate([self.images, other.images], out=images)
        ids = None if self.ids is None and other.ids is None else [*self._ids(), *other._ids()]
        return Split(images, labels, both, ids and np.array(ids))

    def loaded(self, at_most: int) -> "Split":
        """Returns the images as an array; of those that have to be decoded at most so many, evenly chosen."""
        if not self.are_decoded:
            return self
        rows = np.arange(len(self))[:: -(-len(self) // at_most)]
        return Split(self.images[rows], self.labels[rows], self._weights(rows), groups=self._groups(rows))

    def cropped(
        self, rows: np.ndarray, crop: RandomCrop, uniforms: np.ndarray, flipped: np.ndarray | None = None
    ) -> np.ndarray:
        """Returns a random part of each of some images, resized to their shape.

        `uniforms` are `(num_rows, RandomCrop.UNIFORMS)` in [0, 1); `flipped`, bool `(num_rows,)` or None,
        says which are mirrored left-right after that.
        """
        if self.are_decoded:
            return self.images.cropped(rows, crop, uniforms, flipped)
        size = self.images.shape[1:3]
        parts = (crop(image, u, size) for image, u in zip(self.images[rows], uniforms, strict=True))
        images = np.stack(list(parts)).reshape(len(rows), *self.images.shape[1:])
        if flipped is not None:
            images[flipped] = images[flipped][:, :, ::-1]
        return images

    def contents(self) -> Iterator[bytes]:
        """Yields for each image what equal ones have in common: a hash of the file, or the pixels."""
        if not self.are_decoded:
            return (image.tobytes() for image in self.images)
        found = self.images.contents().tobytes()
        return (found[start : start + 8] for start in range(0, len(found), 8))

    def identities(self) -> np.ndarray:
        """Returns a uint64 for each image that is the same for equal ones."""
        return self.images.contents() if self.are_decoded else hashes(self.contents())

    def names(self) -> list[str]:
        """Returns what each image is called: the path of its file, its name, or its row in the source."""
        if self.are_decoded:
            return self.images.names()
        return [id if isinstance(id, str) else f"row {id}" for id in self._ids().tolist()]

    def fingerprint(self) -> list[np.ndarray]:
        """Returns arrays that differ where the images, what is made of them, or the labels do."""
        weights = [] if self.weights is None else [self.weights]
        if not self.are_decoded:
            return [self.images, self.labels, *weights]
        return [self.images.contents(), self.images[sample_of(len(self))], self.labels, *weights]

    def _ids(self):
        return np.arange(len(self)) if self.ids is None else self.ids

    def _weights(self, rows):
        return None if self.weights is None else self.weights[rows]

    def _groups(self, rows):
        return None if self.groups is None else self.groups[rows]


class Loaded(NamedTuple):
    """What a source returns."""

    parts: dict[str, Split]  # "train", and perhaps "validation" and "test"
    label_names: Sequence[str]  # of the classes, labels or numbers
    lines: Sequence[str] = ()  # on what was found
    label_kind: str = CLASS  # one of label_kinds.KINDS
    group: str | None = None  # see `groups`: of images that come with some, where no others are asked for


@dataclasses.dataclass(frozen=True, eq=False)
class ImageData:
    """Images with labels of one kind, by default classes. All images have one shape."""

    name: str  # the source, such as "tfds:mnist"; of a path only its last part
    train: Split
    validation: Split  # to choose models by
    test: Split  # held out until the final evaluation
    label_names: tuple[str, ...]  # one for each class, label or number
    found: tuple[str, ...] = ()  # how the source was read, a line each
    preparation: Preprocessing | Callable | None = None  # what gave them their size; None: they came with it
    label_kind: str = CLASS  # one of label_kinds.KINDS
    near_duplicates: bool | None = None  # whether they were looked for and stay together; None: not known

    def summary(self) -> list[str]:
        """Returns what was found, a line each: how the source was read, and the images of each split."""
        return [f"{self.name}: {line}" for line in self.found] + [
            f"{name:<10}  {counted(len(split), 'image')} ({self._counts(split)})"
            for name, split in self.splits.items()
        ]

    def _counts(self, split):
        return listed(words_of_labels(split.labels, self.label_names, self.label_kind), SHOWN)

    @property
    def splits(self) -> dict[str, Split]:
        """The three splits by name."""
        return {"train": self.train, "validation": self.validation, "test": self.test}

    @property
    def window(self) -> tuple[int, int] | None:
        """The lowest and the highest value by which 16-bit images are scaled, or None for all values."""
        return self.train.images.decoder.window if self.train.are_decoded else None

    @property
    def image_shape(self) -> tuple[int, ...]:
        """`(height, width, channels)`, the same for all images."""
        return tuple(int(side) for side in self.train.images.shape[1:])

    @property
    def num_classes(self) -> int:
        """Number of classes, labels or numbers."""
        return len(self.label_names)
