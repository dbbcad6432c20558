"""The streams of `keras_vit.training.data.pipeline` without TensorFlow: the same batches, from Python."""

import functools
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


def train_batches(split, *, num_classes, batch_size, epochs, seed, augmentation, start_epoch=0, start_step=0):
    """Yields shuffled, augmented batches of a whole training, or the rest of one.

    Arguments, batches and errors are those of `train_pipeline`. Batches are made in a thread of
    their own while the model trains; under JAX the augmentation is compiled.

    Returns:
        generator of (images, labels), arrays of the backend.
    """
    steps = steps_per_epoch(len(split), batch_size)
    check_start(epochs, steps, start_epoch, start_step)
    check_fits(augmentation, split.images.shape[1:])
    uniforms_shape = (batch_size, num_uniforms(augmentation))
    change = _compiled(functools.partial(augment, augmentation=augmentation))

    def batches():
        skipped = start_step
        for epoch in range(start_epoch, epochs):
            order = epoch_order(seed, epoch, len(split), batch_size)
            for step in range(skipped, steps):
                labels = one_hot(split.labels[order[step]], num_classes)
                uniforms = batch_uniforms(seed, epoch, step, uniforms_shape)
                yield change(split.images[order[step]], labels, uniforms)
            skipped = 0

    return prefetched(batches())


class EvaluationBatches(keras.utils.PyDataset):
    """A split in order with nothing left out: uint8 images and float32 one-hot labels.

    Args:
        split: Split.
        num_classes: int.
        batch_size: int; the last batch may be smaller.

    Raises:
        InputError: a batch size below 1.
    """

    def __init__(self, split, *, num_classes, batch_size):
        super().__init__()
        check_batch_size(batch_size)
        self.split = split
        self.num_classes = num_classes
        self.batch_size = batch_size

    def __len__(self):
        return -(-len(self.split) // self.batch_size)

    def __getitem__(self, index):
        rows = slice(index * self.batch_size, (index + 1) * self.batch_size)
        return self.split.images[rows], one_hot(self.split.labels[rows], self.num_classes)


def one_hot(labels, num_classes):
    """Returns float32 `(batch, num_classes)`."""
    return np.eye(num_classes, dtype=np.float32)[labels]


def prefetched(batches):
    """Yields what an iterator yields, which runs ahead in a thread of its own.

    An error there is raised here. The thread ends with the generator, also when that is dropped.
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


def _fill(batches, ready, stop):
    try:
        for batch in batches:
            if not _put(ready, ("batch", batch), stop):
                return
        _put(ready, ("end", None), stop)
    except Exception as error:  # handed to the consumer, who raises it
        _put(ready, ("error", error), stop)


def _put(ready, item, stop):
    while not stop.is_set():
        try:
            ready.put(item, timeout=0.1)
            return True
        except queue.Full:
            continue
    return False


def _compiled(function):
    if keras.backend.backend() != "jax":
        return function
    import jax

    return jax.jit(function)
