"""Keeps the best model so far as one whole file."""

import keras

from keras_vit.io.files import atomic_path


class BestCheckpoint(keras.callbacks.Callback):
    """Saves the model whenever it ranks higher than ever.

    Unlike `ModelCheckpoint` the file is written under a temporary name and then renamed.

    Args:
        path: str or Path of the `.keras` file.
        rank: function from an epoch's logs to a list of floats, greater for a better model.
        finished: function from the model in training to the one that is kept, such as one with a backbone.
    """

    def __init__(self, path, rank, finished):
        super().__init__()
        self.path = path
        self.rank = rank
        self.finished = finished
        self.best = None

    def on_epoch_end(self, epoch, logs=None):
        rank = self.rank(logs)
        if self.best is not None and rank <= self.best:
            return
        self.best = rank
        with atomic_path(self.path) as temporary:
            self.finished(self.model).save(temporary)

    def state(self):
        return {"best": self.best}

    def restore(self, state):
        self.best = None if state["best"] is None else [float(value) for value in state["best"]]
