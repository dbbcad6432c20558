"""The whole augmentation as one pure function of images, labels and random numbers."""

import itertools

from keras import ops

from keras_vit.constraints import checked
from keras_vit.errors import InputError
from keras_vit.training.augmentation.operations import geometry, operations
from keras_vit.training.augmentation.settings import Augmentation


def num_uniforms(augmentation: Augmentation) -> int:
    """Returns how many random numbers one image needs."""
    return sum(operation.num_uniforms(augmentation) for operation in operations())


def flip_column(augmentation: Augmentation) -> int | None:
    """Returns which random number flips an image, those from 0.5 on; None where nothing is flipped."""
    if geometry.flip_column(augmentation) is None:
        return None
    before = itertools.takewhile(lambda operation: operation is not geometry, operations())
    return sum(operation.num_uniforms(augmentation) for operation in before)


def only_flips(augmentation: Augmentation) -> bool:
    """Returns whether images are flipped, and not changed in another way before MixUp and what is like it.

    Such a flip gives the same pixels wherever it is done.
    """
    return flip_column(augmentation) == 0 and geometry.num_uniforms(augmentation) == 1


@checked
def augment(images, labels, uniforms, augmentation: Augmentation):
    """Augments a batch, each image with its own random numbers.

    It consists of `keras.ops` and has no state, so it runs in a tf.data map and under `jax.jit`, and returns
    the same pixels for the same `uniforms`. The order is: colour jitter, the colours of TrivialAugment and
    RandAugment, then their geometry in one resampling with flip, padded crop, rotation and zoom, JPEG
    compression, random erasing, MixUp and CutMix.

    Images are `(batch, height, width, channels)`, uint8 or float in [0, 255]; RandAugment and TrivialAugment
    truncate them to whole numbers, and under TensorFlow the batch size may be unknown, as in a tf.data map.
    Labels are one-hot float `(batch, num_classes)`, `uniforms` float32 `(batch, num_uniforms(augmentation))`
    in [0, 1), the only randomness. Returns float32 images and labels of the same shapes.

    Example:
        >>> import numpy as np
        >>> images, labels = np.ones((2, 8, 8, 3), "uint8"), np.eye(2, dtype="float32")
        >>> flipped, _ = augment(images, labels, np.array([[0.1], [0.9]], "float32"), Augmentation(flip=True))
        >>> tuple(flipped.shape)
        (2, 8, 8, 3)
    """
    check_fits(augmentation, images.shape[1:])
    _check_batch(images, labels, uniforms, num_uniforms(augmentation))
    images, uniforms = ops.convert_to_tensor(images), ops.convert_to_tensor(uniforms)
    labels = ops.convert_to_tensor(labels, dtype="float32")
    first = 0
    for operation in operations():
        if count := operation.num_uniforms(augmentation):
            own = uniforms[:, first : first + count]
            images, labels = operation.apply(images, labels, own, augmentation)
            first += count
    return ops.cast(images, "float32"), labels


def check_fits(augmentation, image_shape):
    """Raises InputError for operations that images of a shape `(height, width, channels)` do not allow."""
    for operation in operations():
        if hasattr(operation, "check_fits"):
            operation.check_fits(augmentation, image_shape)


def _check_batch(images, labels, uniforms, count):
    rows = images.shape[0]
    if not _has_rows(uniforms, rows) or uniforms.shape[1] != count:
        raise InputError(
            f"Expected uniforms of shape ({rows}, {count}) for {rows} images, received "
            f"{tuple(uniforms.shape)}. Draw a row for each image of the batch; the last may be smaller."
        )
    if not _has_rows(labels, rows):
        raise InputError(
            f"Expected one-hot labels for {rows} images, received an array of {tuple(labels.shape)} "
            f"instead of ({rows}, num_classes)."
        )


def _has_rows(array, rows):
    """Returns whether an array has two axes, and as far as is known that many rows."""
    return len(array.shape) == 2 and (None in (rows, array.shape[0]) or array.shape[0] == rows)
