"""The streams that `model.fit` takes: tf.data under TensorFlow, Python elsewhere, with the same batches.

A training stream is made from an object that computes each batch from epoch and step alone, so that a stream
can start anywhere and equals the rest of the whole one, bit for bit.
"""

import functools
import itertools
import queue
import threading

import keras
import numpy as np

from keras_vit.training.augmentation import augment, check_fits, num_uniforms
from keras_vit.training.data.order import (
    batch_uniforms,
    check_batch_size,
    check_start,
    epoch_order,
    steps_per_epoch,
)

_PREFETCHED = 2  # batches


class EvaluationBatches(keras.utils.PyDataset):
    """All rows of some arrays in order; the last batch may be smaller.

    Args:
        length: int, number of rows.
        batch_size: int.
        read: function from a slice to the arrays of those rows, nested as `model.fit` takes them.

    Raises:
        InputError: a batch size below 1.
    """

    def __init__(self, length, batch_size, read):
        super().__init__()
        check_batch_size(batch_size)
        self.length, self.batch_size, self.read = length, batch_size, read

    def __len__(self):
        return -(-self.length // self.batch_size)

    def __getitem__(self, index):
        return self.read(slice(index * self.batch_size, (index + 1) * self.batch_size))


class ImageBatches:
    """Shuffled batches of images with the random numbers that augment them.

    Args:
        split: Split.
        num_classes: int.
        batch_size: int. Images that do not fill a batch are left out of the epoch, different ones in each.
        seed: int.
        num_uniforms: int, random numbers for each image.

    Raises:
        InputError: a batch size below 1, or fewer images than a batch.
    """

    def __init__(self, split, num_classes, batch_size, seed, num_uniforms):
        self.split, self.num_classes, self.seed = split, num_classes, seed
        self.steps = steps_per_epoch(len(split), batch_size)
        self.uniforms_shape = (batch_size, num_uniforms)

    def batch(self, epoch, step):
        """Returns images, one-hot labels and random numbers of a batch."""
        rows = epoch_order(self.seed, epoch, len(self.split), self.uniforms_shape[0])[step]
        labels = one_hot(self.split.labels[rows], self.num_classes)
        return self.split.images[rows], labels, batch_uniforms(self.seed, epoch, step, self.uniforms_shape)


def train_stream(split, *, num_classes, batch_size, epochs, seed, augmentation, start_epoch=0, start_step=0):
    """Makes the shuffled, augmented stream of a whole training, or the rest of one.

    Args:
        split, num_classes, batch_size, seed: as in `ImageBatches`.
        epochs: int, number of all epochs, those before `start_epoch` included.
        augmentation: Augmentation. Under JAX it is compiled.
        start_epoch, start_step: ints, position of the first batch.

    Returns:
        float32 images `(batch, height, width, channels)` in [0, 255] and float32 labels
        `(batch, num_classes)`, all epochs in one tf.data.Dataset or generator.

    Raises:
        InputError: a batch size below 1, fewer images than a batch, or a start outside the epochs.
    """
    check_fits(augmentation, split.images.shape[1:])
    batches = ImageBatches(split, num_classes, batch_size, seed, num_uniforms(augmentation))
    options = {"epochs": epochs, "start_epoch": start_epoch, "start_step": start_step}
    change = functools.partial(augment, augmentation=augmentation)
    if keras.backend.backend() == "tensorflow":
        return batch_stream(batches, change=change, **options)
    if keras.backend.backend() == "jax":
        import jax

        change = jax.jit(change)
    return prefetched(batch_stream(batches, change=change, **options))


def evaluation_stream(split, *, num_classes, batch_size):
    """Makes the stream of a split in order: uint8 images, one-hot labels. It can be iterated many times.

    Raises:
        InputError: a batch size below 1.
    """

    def read(rows):
        return split.images[rows], one_hot(split.labels[rows], num_classes)

    batches = EvaluationBatches(len(split), batch_size, read)
    if keras.backend.backend() != "tensorflow":
        return batches
    return _dataset(batches.__getitem__, range(len(batches)), read(slice(1)), varying_size=True)


def batch_stream(batches, *, epochs, start_epoch=0, start_step=0, change=None):
    """Makes the stream of a whole training, or the rest of one, from an object that computes each batch.

    Args:
        batches: an object with `steps`, the number of batches in an epoch, and `batch(epoch, step)`, which
            returns NumPy arrays, nested as `model.fit` takes them.
        epochs: int, number of all epochs.
        start_epoch, start_step: ints, position of the first batch.
        change: function of a batch's arrays that returns the final ones, such as an augmentation, or None.

    Returns:
        tf.data.Dataset under TensorFlow, else an iterator; the same batches on every backend.

    Raises:
        InputError: a start outside the epochs.
    """
    check_start(epochs, batches.steps, start_epoch, start_step)
    indices = range(start_epoch * batches.steps + start_step, epochs * batches.steps)

    def read(index):
        return batches.batch(*divmod(index, batches.steps))

    if keras.backend.backend() == "tensorflow":
        return _dataset(read, indices, batches.batch(0, 0), change)
    stream = map(read, indices)
    return stream if change is None else itertools.starmap(change, stream)


def one_hot(labels, num_classes):
    """Returns float32 `(batch, num_classes)`."""
    return (np.asarray(labels)[:, np.newaxis] == np.arange(num_classes)).astype(np.float32)


def prefetched(batches):
    """Yields the items of an iterator that runs ahead in a thread.

    An error in the thread is raised here. The thread ends with the generator, also when that is dropped.
    """
    ready, stop = queue.Queue(_PREFETCHED), threading.Event()
    thread = threading.Thread(target=_fill, args=(batches, ready, stop), daemon=True)
    thread.start()
    try:
        while True:
            kind, value = ready.get()
            if kind == "error":
                raise value
            if kind == "end":
                return
            yield value
    finally:
        stop.set()


def _dataset(read, indices, example, change=None, varying_size=False):
    """Returns a tf.data.Dataset of `read(index)` for a range of indices, read in parallel, in order.

    All have the shapes of the example batch, but for the batch size where that varies.
    """
    import tensorflow as tf

    examples = keras.tree.flatten(example)

    @tf.autograph.experimental.do_not_convert  # nothing needs conversion, and the search for it takes seconds
    def load(index):
        arrays = tf.numpy_function(
            lambda index: keras.tree.flatten(read(int(index))), [index], [array.dtype for array in examples]
        )
        shapes = [(None, *array.shape[1:]) if varying_size else array.shape for array in examples]
        arrays = [tf.ensure_shape(array, shape) for array, shape in zip(arrays, shapes, strict=True)]
        return keras.tree.pack_sequence_as(example, arrays) if change is None else change(*arrays)

    dataset = tf.data.Dataset.range(indices.start, indices.stop)
    return dataset.map(load, tf.data.AUTOTUNE, deterministic=True).prefetch(tf.data.AUTOTUNE)


def _fill(batches, ready, stop):
    try:
        for batch in batches:
            if not _put(ready, ("batch", batch), stop):
                return
        _put(ready, ("end", None), stop)
    except Exception as error:  # the consumer raises it
        _put(ready, ("error", error), stop)


def _put(ready, item, stop):
    while not stop.is_set():
        try:
            ready.put(item, timeout=0.1)
            return True
        except queue.Full:
            continue
    return False
