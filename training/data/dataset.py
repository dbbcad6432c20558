"""A data set of images: three splits of uint8 images in random-access arrays."""

import dataclasses

import numpy as np

from keras_vit.errors import listed

SHOWN = 12  # classes


@dataclasses.dataclass(frozen=True, eq=False)
class Split:
    """Images and their labels."""

    images: np.ndarray  # uint8 (num_images, height, width, channels) in [0, 255]; a np.memmap when large
    labels: np.ndarray  # int32 (num_images,), class indices from 0

    def __len__(self):
        return len(self.labels)


@dataclasses.dataclass(frozen=True, eq=False)
class ImageData:
    """A classification data set. All images have one shape."""

    name: str  # the source, such as "tfds:mnist"; of a path only its last part
    train: Split
    validation: Split  # to choose models by
    test: Split  # held out until the final evaluation
    label_names: tuple[str, ...]  # one for each class
    found: tuple[str, ...] = ()  # how the source was read, a line each

    def summary(self) -> list[str]:
        """Returns what was found, a line each: how the source was read, and the images of each split."""
        return [f"{self.name}: {line}" for line in self.found] + [
            f"{name:<10}  {len(split):,} images ({self._counts(split)})"
            for name, split in self.splits.items()
        ]

    def _counts(self, split):
        counts = np.bincount(split.labels, minlength=self.num_classes)
        return listed((f"{name}: {n:,}" for name, n in zip(self.label_names, counts, strict=True)), SHOWN)

    @property
    def splits(self) -> dict[str, Split]:
        """The three splits by name."""
        return {"train": self.train, "validation": self.validation, "test": self.test}

    @property
    def image_shape(self) -> tuple[int, ...]:
        """`(height, width, channels)`, the same for all images."""
        return tuple(int(side) for side in self.train.images.shape[1:])

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return len(self.label_names)
