"""Data that changed since a run began."""

import hashlib

import keras
import numpy as np

from keras_vit.errors import InputError

ROWS = 4096  # hashed at once, for arrays may be larger than the memory


class SameData(keras.callbacks.Callback):
    """Refuses to resume on what is not, byte for byte, what the run began with.

    Args:
        arrays: list of arrays on which the training depends.
    """

    def __init__(self, arrays):
        super().__init__()
        digest = hashlib.sha256()
        for array in arrays:
            for start in range(0, len(array), ROWS):
                digest.update(np.ascontiguousarray(array[start : start + ROWS]))
        self.digest = digest.hexdigest()

    def state(self):
        return {"sha256": self.digest}

    def restore(self, state):
        if state["sha256"] != self.digest:
            raise InputError(
                "The training or validation data, or the features that pretrained weights make of them, are "
                "not those that the run began with. Put them back, or begin in another --run-dir."
            )
