"""The training stream of images without TensorFlow: the same batches as `pipeline`, from Python."""

import functools
import queue
import threading

import keras
import numpy as np

from keras_vit.training.augmentation import augment, check_fits, num_uniforms
from keras_vit.training.data.order import batch_uniforms, check_start, epoch_order, steps_per_epoch

_PREFETCHED = 2  # batches


def train_batches(split, *, num_classes, batch_size, epochs, seed, augmentation, start_epoch=0, start_step=0):
    """Yields shuffled, augmented batches of a whole training, or the rest of one.

    Arguments, batches and errors are those of `train_pipeline`. A thread prepares the batches while the model
    trains; under JAX the augmentation is compiled.

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


def one_hot(labels, num_classes):
    """Returns float32 `(batch, num_classes)`."""
    return np.eye(num_classes, dtype=np.float32)[labels]


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


def _compiled(function):
    if keras.backend.backend() != "jax":
        return function
    import jax

    return jax.jit(function)
