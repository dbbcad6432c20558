"""Keeps the best model so far as one whole file."""

import keras

from keras_vit.files import atomic_path


class BestCheckpoint(keras.callbacks.Callback):
    """Saves the model whenever its validation accuracy is higher than ever, or as high at a lower loss.

    Unlike `ModelCheckpoint` the file is written under a temporary name and then renamed, and it holds
    no optimizer.

    Args:
        path: str or Path of the `.keras` file.
    """

    def __init__(self, path):
        super().__init__()
        self.path = path
        self.best = None

    def on_epoch_end(self, epoch, logs=None):
        rank = [float(logs["val_accuracy"]), -float(logs["val_loss"])]
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
