"""A training that an error ends within its second epoch."""

import keras
import pytest

from keras_vit.training.fit import fit


class Stop(Exception):
    pass


class StopInSecondEpoch(keras.callbacks.Callback):
    def __init__(self, last_batch):
        super().__init__()
        self.last_batch = last_batch

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.epoch == 1 and batch == self.last_batch:
            raise Stop


@pytest.fixture
def fit_in_part():
    """A function that trains as `fit` until a batch of the second epoch, and returns nothing."""

    def fit_until(recipe, folder, last_batch, **options):
        with pytest.raises(Stop):
            fit(recipe, folder, callbacks=[StopInSecondEpoch(last_batch)], **options)

    return fit_until
