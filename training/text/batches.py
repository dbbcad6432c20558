"""Batches of text for training: functions of (seed, epoch, step) alone, so that a run resumes anywhere."""

import numpy as np

from keras_vit.errors import InputError, counted
from keras_vit.text.vocabulary import BOUNDARY
from keras_vit.text.windows import line_windows, padded_tokens
from keras_vit.training.data.order import check_batch_size, epoch_order
from keras_vit.training.data.streams import rows_of
from keras_vit.training.text.corpus import TextData
from keras_vit.training.text.pairs import PairData


class LineBatches:
    """Lines in a new order in each epoch, one a row, filled up to the window."""

    def __init__(self, data: TextData, batch_size: int, seed: int):
        self.windows = line_windows(data.train, data.vocabulary, data.window)
        self.weights = self.windows.weights
        self.batch_size, self.seed = batch_size, seed
        self.steps = _steps(len(self.windows), batch_size, "training lines")

    def batch(self, epoch, step):
        """Returns inputs, targets and weights of a batch."""
        rows = epoch_order(self.seed, epoch, len(self.windows), self.batch_size)[step]
        return self.windows.inputs[rows], self.windows.targets[rows], self.weights[rows]


class PairBatches:
    """Pairs of texts in a new order in each epoch: source and target so far, and the target that follows."""

    def __init__(self, data: PairData, batch_size: int, seed: int):
        self.arrays = pair_arrays(data, data.train)
        self.count, self.batch_size, self.seed = len(data.train), batch_size, seed
        self.steps = _steps(self.count, batch_size, "training pairs")

    def batch(self, epoch, step):
        """Returns the inputs (source, target so far), the targets and the weights of a batch."""
        rows = epoch_order(self.seed, epoch, self.count, self.batch_size)[step]
        return rows_of(self.arrays, rows)


def pair_arrays(data: PairData, pairs):
    """Returns the inputs, targets and weights of all of some pairs, as `PairBatches` has them."""
    sources, targets = zip(*pairs, strict=True)
    windows = line_windows(targets, data.vocabulary, data.max_target + 1)
    source = padded_tokens(sources, data.vocabulary, data.max_source)
    return (source, windows.inputs), windows.targets, windows.weights


class WindowBatches:
    """Windows of running text, cut at other places and in a new order in each epoch."""

    def __init__(self, data: TextData, batch_size: int, seed: int):
        self.tokens = data.vocabulary.encode(BOUNDARY + data.train[0])
        self.window, self.batch_size, self.seed = data.window, batch_size, seed
        self.count = (len(self.tokens) - data.window) // data.window  # the same for every start of the first
        self.steps = _steps(
            self.count, batch_size, f"training windows of {counted(data.window, 'character')}"
        )

    def batch(self, epoch, step):
        """Returns inputs, targets and weights of a batch."""
        rows = epoch_order(self.seed, epoch, self.count, self.batch_size)[step]
        first = _offset(self.seed, epoch, self.window) + rows[:, None] * self.window
        return _pairs(self.tokens[first + np.arange(self.window + 1)])


class CarriedBatches:
    """Windows of running text, each row the continuation of the same row of the batch before.

    The text is cut into as many stretches as a batch has rows, which are read in parallel: what a
    recurrent model carries from batch to batch belongs to what it reads next.
    """

    def __init__(self, data: TextData, batch_size: int, seed: int):
        check_batch_size(batch_size)
        self.tokens = data.vocabulary.encode(BOUNDARY + data.train[0])
        self.window, self.batch_size, self.seed = data.window, batch_size, seed
        self.stretch = (len(self.tokens) - data.window) // batch_size
        self.steps = _steps(self.stretch // data.window, 1, "window in each of batch_size stretches of text")

    def batch(self, epoch, step):
        """Returns inputs, targets and weights of a batch."""
        first = _offset(self.seed, epoch, self.window) + step * self.window
        rows = first + np.arange(self.batch_size)[:, None] * self.stretch
        return _pairs(self.tokens[rows + np.arange(self.window + 1)])


def _steps(count, batch_size, what):
    check_batch_size(batch_size)
    if count < batch_size:
        raise InputError(
            f"Expected at least {batch_size} {what}, received {count}. Lower batch_size"
            f"{' or window' if 'window' in what else ''}, or give more text."
        )
    return count // batch_size


def _offset(seed, epoch, window):
    """Returns the start of an epoch's first window, from another random generator than the order."""
    return int(np.random.default_rng((seed, epoch, 1)).integers(window))


def _pairs(rows):
    return rows[:, :-1], rows[:, 1:], np.ones(rows[:, 1:].shape, "float32")
