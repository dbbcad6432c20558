"""The streams for `model.fit`: tf.data under TensorFlow, Python elsewhere, with the same batches.

A training stream is made from an object that computes each batch from epoch and step alone, so that a stream
can start anywhere and equals the rest of the whole one, bit for bit.
"""

import collections
import concurrent.futures
import contextlib
import dataclasses
import functools
import itertools
import os

import keras
import numpy as np

from keras_vit.errors import InputError
from keras_vit.training.augmentation import (
    ALTERNATING,
    Augmentation,
    augment,
    calmer,
    check_fits,
    flip_column,
    num_uniforms,
    only_flips,
)
from keras_vit.training.data.dataset import Split
from keras_vit.training.data.label_kinds import encoded
from keras_vit.training.data.order import (
    WHOLE,
    Sampling,
    Share,
    alternating_flips,
    batch_seed,
    batch_uniforms,
    check_batch_size,
    crop_uniforms,
    steps_per_epoch,
)
from keras_vit.training.data.random_crop import RandomCrop

_PREFETCHED = 3  # batches
_PARALLEL = 16  # batches that are read at once, at most
_END = object()
_raised = collections.deque(maxlen=_PARALLEL)  # errors of reading, which TensorFlow makes others of


class EvaluationBatches(keras.utils.PyDataset):
    """All rows of some arrays in order; the last batch may be smaller.

    `read` returns the arrays of a slice of rows, nested as `model.fit` expects them.
    """

    def __init__(self, length: int, batch_size: int, read):
        super().__init__()
        check_batch_size(batch_size)
        self.length, self.batch_size, self.read = length, batch_size, read

    def __len__(self):
        return -(-self.length // self.batch_size)

    def __getitem__(self, index):
        start = index * self.batch_size
        with _noted_errors():
            return self.read(slice(start, min(start + self.batch_size, self.length)))


def in_order(length: int, batch_size: int, read):
    """Makes the stream of all rows, which `read` returns, in order. It can be iterated many times."""
    batches = EvaluationBatches(length, batch_size, read)
    if keras.backend.backend() != "tensorflow":
        return batches
    return _dataset(batches.__getitem__, range(len(batches)), read(slice(1)), varying_size=True)


def evaluation_batches(arrays, batch_size: int):
    """Makes the stream of all rows of arrays, nested in any way, in order."""
    length = len(keras.tree.flatten(arrays)[0])
    return in_order(length, batch_size, lambda rows: rows_of(arrays, rows))


def shared(stream, share: Share):
    """Returns a process's part of each batch of a stream. Of validation only that part is read."""
    if share.count == 1:
        return stream
    if isinstance(stream, EvaluationBatches):
        return EvaluationBatches(stream.length, stream.batch_size, lambda rows: stream.read(share.of(rows)))
    return (share.of(batch) for batch in stream)


def labels_to_learn(source, rows, num_names: int) -> np.ndarray:
    """Returns encoded labels of some rows of a Split or of Features; their weights are one more column.

    So what mixes labels mixes weights. These have a mean of 1 in the whole split.
    """
    labels = encoded(source.labels[rows], num_names)
    if source.weights is None:
        return labels
    weights = source.weights[rows] / source.weights.mean()
    return np.concatenate([labels, weights[:, np.newaxis].astype(labels.dtype)], axis=1)


def weighted(change, num_names: int, has_weights: bool, class_weights: np.ndarray | None):
    """Returns a function that adds to what `change` returns, inputs and labels, the weight of each item.

    `has_weights` says whether labels have a column of weights, as `labels_to_learn` adds.
    """
    if not has_weights and class_weights is None:
        return change

    def with_weights(*arrays):
        inputs, labels = change(*arrays)
        labels, weights = labels[:, :num_names], labels[:, num_names:]
        if class_weights is not None:
            of_classes = keras.ops.matmul(labels, class_weights[:, np.newaxis])
            weights = weights * of_classes if has_weights else of_classes
        return inputs, labels, weights[:, 0]

    return with_weights


def rows_of(arrays, rows):
    """Returns some rows of all arrays, nested as they are."""
    return keras.tree.map_structure(lambda array: np.asarray(array[rows]), arrays)


class ImageBatches:
    """Shuffled batches of images with the random numbers that augment them.

    Images that do not fill a batch are left out of the epoch, different ones in each.
    """

    def __init__(
        self,
        split: Split,
        num_classes: int,
        batch_size: int,
        seed: int,
        num_uniforms: int,
        crop: RandomCrop | None = None,
        seeded=False,
        share: Share = WHOLE,
        sampling: Sampling | None = None,
        alternating: int | None = None,
        flips: bool = False,
    ):
        self.crop, self.share = crop, share
        self.alternating = alternating  # which random number flips an image, where flips alternate
        self.flips = flips  # whether images are flipped while they are read, by the first random number
        self.sampling = sampling or Sampling(len(split))
        self.seeded = seeded  # whether batches have a seed, for an augmentation of the user's own
        self.split, self.num_classes, self.seed = split, num_classes, seed
        self.steps = steps_per_epoch(len(split), batch_size)
        self.uniforms_shape = (batch_size, num_uniforms)

    def batch(self, epoch, step):
        """Returns images, encoded labels and random numbers of a batch, and its seed where that is needed."""
        rows = self.share.of(self.sampling.order(self.seed, epoch, self.uniforms_shape[0])[step])
        labels = labels_to_learn(self.split, rows, self.num_classes)
        uniforms = self.share.of(batch_uniforms(self.seed, epoch, step, self.uniforms_shape))
        if self.alternating is not None:  # at least 0.5 flips
            flips = alternating_flips(self.seed, epoch, len(self.split))
            uniforms[:, self.alternating] = 0.25 + 0.5 * flips[rows]
        seed = (batch_seed(self.seed, epoch, step),) if self.seeded else ()
        flipped = None
        if self.flips:
            flipped, uniforms = uniforms[:, 0] >= 0.5, uniforms[:, 1:]
        return self._images(rows, epoch, step, flipped), labels, uniforms, *seed

    def _images(self, rows, epoch, step, flipped):
        if self.crop is None:
            return self.split.images[rows]
        numbers = crop_uniforms(self.seed, epoch, step, (self.uniforms_shape[0], RandomCrop.UNIFORMS))
        return self.split.cropped(rows, self.crop, self.share.of(numbers), flipped)


def train_stream(
    split: Split,
    *,
    num_classes,
    batch_size,
    seed,
    augmentation: Augmentation,
    crop: RandomCrop | None = None,
    own=None,
    share: Share = WHOLE,
    class_weights: np.ndarray | None = None,
    sampling: Sampling | None = None,
    epochs: int,
    start_epoch: int = 0,
    start_step: int = 0,
    calm_epoch: int | None = None,
):
    """Makes the shuffled, augmented stream of a whole training, or the rest of one.

    It contains float32 images `(batch, height, width, channels)` in [0, 255] and float32 labels `(batch,
    num_classes)`; with weights of images, or `class_weights`, `(num_classes,)`, also the weight of each
    image, of mixed ones the mean. `sampling` says which images an epoch has, by default each once. `crop` is
    done while images are read, and the flip too where nothing comes between; `own` is an OwnAugmentation,
    which comes next.
    `share` is the part of each batch that this process trains on; what mixes images reads the whole batch.
    From `calm_epoch` on the augmentation is the `calmer` one. `epochs` and the start are those of
    `batch_stream`. Under JAX the augmentation is compiled, except an own one that may
    draw random numbers itself: they would be drawn once, when it is compiled.
    """
    check_fits(augmentation, split.images.shape[1:])
    mixes = bool(own or augmentation.mixup_alpha or augmentation.cutmix_alpha)
    read, kept = (WHOLE, share) if mixes else (share, WHOLE)
    has_weights = split.weights is not None
    if has_weights and own is not None and "labels" in own.options:
        raise InputError(
            f"Images with weights cannot be changed by {own.name}, which takes labels. Leave one of them out."
        )

    def phase(augmentation, start_epoch, start_step, epochs):
        flips = crop is not None and own is None and only_flips(augmentation)
        batches = ImageBatches(
            split,
            num_classes,
            batch_size,
            seed,
            num_uniforms(augmentation),
            crop,
            own is not None,
            read,
            sampling,
            flip_column(augmentation) if augmentation.flip == ALTERNATING else None,
            flips,
        )
        if flips:
            augmentation = dataclasses.replace(augmentation, flip=False)
        change = weighted(_changing(augmentation, own), num_classes, has_weights, class_weights)
        return batch_stream(
            batches, epochs=epochs, start_epoch=start_epoch, start_step=start_step, change=change
        )

    calm = epochs if calm_epoch is None else min(calm_epoch, epochs)
    if start_epoch >= calm:
        stream = phase(
            calmer(augmentation) if calm < epochs else augmentation, start_epoch, start_step, epochs
        )
    else:
        stream = phase(augmentation, start_epoch, start_step, calm)
        if calm < epochs:
            stream = _joined(stream, phase(calmer(augmentation), calm, 0, epochs))
    stream = shared(stream, kept)
    return stream if keras.backend.backend() == "tensorflow" else prefetched(stream)


def _changing(augmentation, own):
    """A function that augments the arrays of a batch; under JAX it is compiled where that is right."""
    change = functools.partial(augment, augmentation=augmentation)
    compiled = _compiled_by_jax if keras.backend.backend() == "jax" else lambda function: function
    if own is None:
        return compiled(change)
    return compiled(own.before(change)) if own.has_seed else own.before(compiled(change))


def _joined(first, second):
    if keras.backend.backend() == "tensorflow":
        return first.concatenate(second)
    return (batch for stream in (first, second) for batch in stream)


def _compiled_by_jax(function):
    import jax

    return jax.jit(function)


def evaluation_stream(split: Split, *, num_classes, batch_size):
    """Makes the stream of a split in order: uint8 images, encoded labels. It can be iterated many times."""
    return in_order(
        len(split), batch_size, lambda rows: (split.images[rows], encoded(split.labels[rows], num_classes))
    )


def batch_stream(batches, *, epochs: int, start_epoch=0, start_step=0, change=None):
    """Makes the stream of a whole training, or the rest of one, from an object that computes each batch.

    `batches` has `steps`, the number of batches in an epoch, and `batch(epoch, step)`, which returns NumPy
    arrays, nested as `model.fit` expects them; where their number of rows differs, `varying_size` is true.
    `epochs` includes those before `start_epoch`. `change` is a
    function of a batch's arrays that returns the final ones, such as an augmentation. The stream is a
    tf.data.Dataset under TensorFlow, else an iterator, with the same batches on every backend.
    """
    steps = batches.steps
    if not 0 <= start_epoch <= epochs or not 0 <= start_step <= steps:
        raise InputError(
            f"Expected to start within {epochs} epochs of {steps} steps, received epoch {start_epoch}, "
            f"step {start_step}."
        )
    indices = range(start_epoch * steps + start_step, epochs * steps)

    def read(index):
        with _noted_errors():
            return batches.batch(*divmod(index, steps))

    if keras.backend.backend() == "tensorflow":
        return _dataset(read, indices, batches.batch(0, 0), change, getattr(batches, "varying_size", False))
    stream = map(read, indices)
    stream = stream if change is None else itertools.starmap(change, stream)
    return (batch for batch in stream)  # of iterators `fit` takes generators alone


@contextlib.contextmanager
def _noted_errors():
    try:
        yield
    except InputError as error:
        _raised.append(error)
        raise


@contextlib.contextmanager
def reading_errors(advice: str = ""):
    """Raises an error of reading a batch, such as an absent file, as the InputError that it was, with advice.

    TensorFlow makes an error of its own of it, of many lines.
    """
    try:
        yield
    except Exception as error:
        text = str(error)
        found = next((known for known in _raised if known is error or str(known) in text), None)
        if found is None:
            raise
        raise InputError(f"{found}{advice}") from found


def prefetched(batches):
    """Yields the items of an iterator that runs ahead in a thread, which ends with the generator.

    An error in the thread is raised here.
    """
    batches = iter(batches)
    with concurrent.futures.ThreadPoolExecutor(1) as thread:
        ahead = collections.deque(thread.submit(next, batches, _END) for _ in range(_PREFETCHED))
        while (batch := ahead.popleft().result()) is not _END:
            ahead.append(thread.submit(next, batches, _END))
            yield batch


def _dataset(read, indices, example, change=None, varying_size=False):
    """Returns a tf.data.Dataset of `read(index)` for a range of indices, read in parallel, in order.

    All have the shapes of the example batch, except the batch size where that varies.
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
        batch = keras.tree.pack_sequence_as(example, arrays)
        return batch if change is None else change(*batch)

    dataset = tf.data.Dataset.range(indices.start, indices.stop)
    dataset = dataset.map(load, min(os.cpu_count() or 1, _PARALLEL), deterministic=True).prefetch(_PREFETCHED)
    options = tf.data.Options()
    # Its thread sleeps ever longer and is not woken: an iterator that was read for a minute takes up to
    # another one to end.
    options.autotune.enabled = False
    return dataset.with_options(options)
