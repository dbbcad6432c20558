"""Batches of a user's data, as `model.fit` takes them."""

from typing import Any

import keras
import numpy as np

from keras_vit.training.data.order import check_batch_size, epoch_order
from keras_vit.training.data.streams import batch_stream, prefetched, rows_of


class ArrayBatches:
    """All rows of some arrays in each epoch, in an order that depends on seed and epoch alone.

    The last batch of an epoch may be smaller.
    """

    varying_size = True

    def __init__(self, arrays: tuple, batch_size: int, seed: int):
        check_batch_size(batch_size)
        self.arrays, self.batch_size, self.seed = arrays, batch_size, seed
        self.length = len(keras.tree.flatten(arrays)[0])
        self.steps = -(-self.length // batch_size)

    def batch(self, epoch: int, step: int) -> tuple:
        """Returns a batch, nested as the arrays."""
        order = epoch_order(self.seed, epoch, self.length, 1)[:, 0]
        return rows_of(self.arrays, order[step * self.batch_size : (step + 1) * self.batch_size])

    def stream(self, epochs: int, start_epoch: int = 0, start_step: int = 0) -> Any:
        """Returns the batches of a training, or the rest of one, as `model.fit` takes them."""
        stream = batch_stream(self, epochs=epochs, start_epoch=start_epoch, start_step=start_step)
        return stream if keras.backend.backend() == "tensorflow" else prefetched(stream)


def first_batch(data: Any, batch_size: int) -> tuple:
    """Returns the first batch of arrays or of a dataset: `(x,)`, `(x, y)` or `(x, y, sample_weight)`."""
    if isinstance(data, tuple):
        return rows_of(data, slice(batch_size))
    batch = data[0] if isinstance(data, keras.utils.PyDataset) else next(iter(data))
    batch = batch if isinstance(batch, tuple) else (batch,)
    return keras.tree.map_structure(lambda array: np.asarray(array), batch)
