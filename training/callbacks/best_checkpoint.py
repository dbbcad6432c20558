"""Keeps the best model so far as one whole file."""

import keras

from keras_vit.files import atomic_path


class BestCheckpoint(keras.callbacks.Callback):
    """Saves the model whenever a validation quantity is higher than ever before.

    Unlike `ModelCheckpoint` the file is written under a temporary name and then renamed, and it holds
    no optimizer.

    Args:
        path: str or Path of the `.keras` file.
        monitor: str, the quantity in the epoch's logs; larger is better.
    """

    def __init__(self, path, monitor="val_accuracy"):
        super().__init__()
        self.path = path
        self.monitor = monitor
        self.best = None
        self.best_epoch = None

    def on_epoch_end(self, epoch, logs=None):
        value = float(logs[self.monitor])
        if self.best is not None and not value > self.best:
            return
        self.best, self.best_epoch = value, epoch
        without_optimizer = keras.Model(self.model.inputs, self.model.outputs, name=self.model.name)
        with atomic_path(self.path) as temporary:
            without_optimizer.save(temporary)

    def state(self):
        return {"best": self.best, "best_epoch": self.best_epoch}

    def restore(self, state):
        self.best, self.best_epoch = state["best"], state["best_epoch"]
