"""A classifier of images in any form, as a function from images to probabilities."""

import dataclasses
import math
from collections.abc import Callable

import numpy as np

from keras_vit.errors import InputError

LOGITS, PROBABILITIES = "logits", "probabilities"  # what the outputs of a model can be
BATCH = 64
MOST_NUMBERS = 2**27  # of one image


@dataclasses.dataclass(frozen=True)
class Predictor:
    """A classifier of images.

    Attributes:
        image_shape: `(height, width, channels)`.
        label_names: tuple of str, or None.
        num_classes: int.
        run: function from a checked batch to outputs `(n, num_classes)`.
        attend: function from a checked batch to maps of attention, or None.
        grey: bool, it was trained on grey images, which it is to be given also where it takes RGB.
    """

    image_shape: tuple
    label_names: tuple | None
    num_classes: int
    run: Callable
    attend: Callable | None = None
    grey: bool = False

    def __post_init__(self):
        if not 0 < math.prod(self.image_shape) <= MOST_NUMBERS:
            raise InputError(f"Expected a model of images, received one of {self.image_shape} numbers.")
        if self.label_names is not None and len(self.label_names) != self.num_classes:
            raise InputError(
                f"Expected one label per class: the model has {self.num_classes} classes, the labels next to "
                f"it are {len(self.label_names)}. Put the labels.txt of its training there, or none."
            )

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """Returns float32 `(n, num_classes)` for `(n, height, width, channels)`, uint8 or float in [0, 255].

        A model of RGB takes grey images too.

        Raises:
            InputError: images of another shape.
        """
        images = self._checked(images)
        if not len(images):
            return np.zeros((0, self.num_classes), "float32")
        return np.asarray(self.run(images), "float32")

    def attention_maps(self, images: np.ndarray) -> np.ndarray:
        """Returns the attention rollout, float32 `(n, rows, columns)`, of at least one image.

        Raises:
            InputError: the model has no attention, or the file does not give it.
        """
        if self.attend is None:
            raise InputError(
                "Expected a model that returns its attention. Export a Vision Transformer with --attention."
            )
        return np.asarray(self.attend(self._checked(images)), "float32")

    def _checked(self, images):
        images = np.asarray(images)
        if images.shape[-1:] == (1,) and self.image_shape[-1] == 3:
            images = np.repeat(images, 3, axis=-1)
        if images.shape[1:] != self.image_shape:
            expected = ", ".join(map(str, self.image_shape))
            raise InputError(f"Expected images (n, {expected}), received {images.shape}.")
        return images
