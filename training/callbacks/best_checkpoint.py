"""Keeps the best model so far as one whole file."""

import keras

from keras_vit.files import atomic_path


class BestCheckpoint(keras.callbacks.Callback):
    """Saves the model whenever it ranks higher than ever.

    Unlike `ModelCheckpoint` the file is written under a temporary name and then renamed, and it holds
    no optimizer.

    Args:
        path: str or Path of the `.keras` file.
        rank: function from an epoch's logs to a list of floats, greater for a better model.
    """

    def __init__(self, path, rank):
        super().__init__()
        self.path = path
        self.rank = rank
        self.best = None

    def on_epoch_end(self, epoch, logs=None):
        rank = self.rank(logs)
        if self.best is not None and rank <= self.best:
            return
        self.best = rank
        without_optimizer = keras.Model(self.model.inputs, self.model.outputs, name=self.model.name)
        with atomic_path(self.path) as temporary:
            without_optimizer.save(temporary)

    def state(self):
        return {"best": self.best}

    def restore(self, state):
        self.best = state["best"]
