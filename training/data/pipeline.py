"""The streams of images under TensorFlow, as tf.data pipelines."""

import tensorflow as tf

from keras_vit.training.augmentation import augment, check_fits, num_uniforms
from keras_vit.training.data.order import (
    batch_uniforms,
    check_batch_size,
    check_start,
    epoch_order,
    steps_per_epoch,
)


def train_pipeline(
    split, *, num_classes, batch_size, epochs, seed, augmentation, start_epoch=0, start_step=0
):
    """Makes the shuffled, augmented stream of a whole training, or the rest of one.

    The order of an epoch's images and the random numbers of a batch depend on seed, epoch and step
    alone: a stream that starts later equals the rest of the whole one, bit for bit.

    Args:
        split: Split.
        num_classes: int.
        batch_size: int. Images that do not fill a batch are left out of the epoch, different ones in each.
        epochs: int, number of all epochs, those before `start_epoch` included.
        seed: int.
        augmentation: Augmentation.
        start_epoch: int, epoch of the first batch.
        start_step: int, step of the first batch in that epoch.

    Returns:
        tf.data.Dataset of float32 images `(batch, height, width, channels)` in [0, 255] and float32
        labels `(batch, num_classes)`, all epochs in one stream.

    Raises:
        InputError: a batch size below 1, fewer images than a batch, or a start outside the epochs.
    """
    steps = steps_per_epoch(len(split), batch_size)
    check_start(epochs, steps, start_epoch, start_step)
    check_fits(augmentation, split.images.shape[1:])

    @tf.autograph.experimental.do_not_convert  # nothing needs conversion, and the search for it takes seconds
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
    """Makes the stream of all images of a split, in order.

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
