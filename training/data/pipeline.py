"""tf.data pipelines: images in, batches of images and one-hot labels out."""

import dataclasses

import keras
import tensorflow as tf

from keras_vit.errors import InputError
from keras_vit.training.augmentation import Augmentation, augment, check_fits, num_uniforms
from keras_vit.training.data import load_data
from keras_vit.training.data.order import (
    batch_uniforms,
    check_batch_size,
    check_start,
    epoch_order,
    steps_per_epoch,
)


@dataclasses.dataclass(frozen=True)
class Pipelines:
    """A classification data set as tf.data pipelines.

    Attributes:
        train: tf.data.Dataset, shuffled and augmented; all epochs one after the other.
        validation: tf.data.Dataset, in order.
        test: tf.data.Dataset, in order.
        label_names: tuple of str, one for each class.
        image_shape: tuple, `(height, width, channels)`.
        steps_per_epoch: int, batches of `train` in one epoch.
    """

    train: tf.data.Dataset
    validation: tf.data.Dataset
    test: tf.data.Dataset
    label_names: tuple[str, ...]
    image_shape: tuple[int, int, int]
    steps_per_epoch: int


def pipelines(spec, *, batch_size, epochs=1, seed=0, augmentation=None, **load_options):
    """Makes training, validation and test pipelines from a data spec.

    Args:
        spec: str, such as `"digits"`, `"tfds:cifar10"`, `"folder:PATH"`, `"npz:PATH"`.
        batch_size: int.
        epochs: int, length of the training pipeline.
        seed: int, of splits, order and augmentation.
        augmentation: Augmentation or None, for none.
        **load_options: to `keras_vit.training.data.load_data`, such as image_size or validation_fraction.

    Returns:
        Pipelines.

    Raises:
        InputError: bad data or a bad batch size.

    Example:
        >>> data = pipelines("digits", batch_size=32)
        >>> data.train.element_spec[0].shape, data.label_names[:3]
        (TensorShape([32, 8, 8, 1]), ('0', '1', '2'))
    """
    check_batch_size(batch_size)
    data = load_data(spec, seed=seed, **load_options)
    options = {"num_classes": data.num_classes, "batch_size": batch_size}
    return Pipelines(
        train=train_pipeline(
            data.train, epochs=epochs, seed=seed, augmentation=augmentation or Augmentation(), **options
        ),
        validation=evaluation_pipeline(data.validation, **options),
        test=evaluation_pipeline(data.test, **options),
        label_names=data.label_names,
        image_shape=data.image_shape,
        steps_per_epoch=steps_per_epoch(len(data.train), batch_size),
    )


def train_pipeline(
    split, *, num_classes, batch_size, epochs, seed, augmentation, start_epoch=0, start_step=0
):
    """Makes the shuffled, augmented stream of a whole training, or the rest of one.

    The order of an epoch's images and the random numbers of a batch depend on seed, epoch and step
    alone: a stream begun later is bit for bit the rest of the whole one.

    Args:
        split: Split.
        num_classes: int.
        batch_size: int. What does not fill a batch is left out of an epoch, other images in each.
        epochs: int, all of them, also those before `start_epoch`.
        seed: int.
        augmentation: Augmentation.
        start_epoch: int, where to begin.
        start_step: int, batches to leave out of that epoch.

    Returns:
        tf.data.Dataset of float32 images `(batch, height, width, channels)` in [0, 255] and float32
        labels `(batch, num_classes)`; after the last step of an epoch the next one follows.

    Raises:
        InputError: a batch size below 1, fewer images than a batch, a start outside the epochs, or a
            Keras backend other than TensorFlow.
    """
    _check_backend()
    steps = steps_per_epoch(len(split), batch_size)
    check_start(epochs, steps, start_epoch, start_step)
    check_fits(augmentation, split.images.shape[1:])

    @tf.autograph.experimental.do_not_convert  # there is nothing to convert, and looking takes seconds
    def batches_of(epoch):
        rows = tf.numpy_function(
            lambda epoch: epoch_order(seed, int(epoch), len(split), batch_size), [epoch], tf.int64
        )
        rows = tf.ensure_shape(rows, (steps, batch_size))
        return tf.data.Dataset.from_tensor_slices(
            (tf.repeat(epoch, steps), tf.range(steps, dtype=tf.int64), rows)
        )

    @tf.autograph.experimental.do_not_convert
    def read_and_augment(epoch, step, rows):
        images, labels, uniforms = _read(
            split, seed, (batch_size, num_uniforms(augmentation)), epoch, step, rows
        )
        return augment(images, tf.one_hot(labels, num_classes), uniforms, augmentation)

    dataset = tf.data.Dataset.range(start_epoch, epochs).flat_map(batches_of).skip(start_step)
    dataset = dataset.apply(
        tf.data.experimental.assert_cardinality(max(0, (epochs - start_epoch) * steps - start_step))
    )
    dataset = dataset.map(read_and_augment, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return dataset.prefetch(tf.data.AUTOTUNE)


def evaluation_pipeline(split, *, num_classes, batch_size):
    """Makes the stream of a split in order, with nothing left out.

    Args:
        split: Split.
        num_classes: int.
        batch_size: int; the last batch may be smaller.

    Returns:
        tf.data.Dataset of uint8 images `(batch, height, width, channels)` and float32 one-hot labels.

    Raises:
        InputError: a batch size below 1.
    """
    check_batch_size(batch_size)

    @tf.autograph.experimental.do_not_convert
    def read(first):
        images, labels = tf.numpy_function(
            lambda first: (
                split.images[first : first + batch_size],
                split.labels[first : first + batch_size],
            ),
            [first],
            (tf.uint8, tf.int32),
        )
        images = tf.ensure_shape(images, (None, *split.images.shape[1:]))
        return images, tf.one_hot(tf.ensure_shape(labels, (None,)), num_classes)

    dataset = tf.data.Dataset.range(0, len(split), batch_size)
    return dataset.map(read, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True).prefetch(
        tf.data.AUTOTUNE
    )


def _read(split, seed, uniforms_shape, epoch, step, rows):
    def read(epoch, step, rows):
        uniforms = batch_uniforms(seed, int(epoch), int(step), uniforms_shape)
        return split.images[rows], split.labels[rows], uniforms

    images, labels, uniforms = tf.numpy_function(read, [epoch, step, rows], (tf.uint8, tf.int32, tf.float32))
    batch_size = uniforms_shape[0]
    return (
        tf.ensure_shape(images, (batch_size, *split.images.shape[1:])),
        tf.ensure_shape(labels, (batch_size,)),
        tf.ensure_shape(uniforms, uniforms_shape),
    )


def _check_backend():
    if keras.backend.backend() != "tensorflow":
        raise InputError(
            f"Expected the TensorFlow backend for a tf.data pipeline, received {keras.backend.backend()}. "
            "Use keras_vit.training.data.streams.train_stream, which fits every backend."
        )
