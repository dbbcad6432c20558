"""Stops a training whose numbers are no longer numbers."""

import keras
import numpy as np

from keras_vit.errors import ConditionError


class FiniteCheck(keras.callbacks.Callback):
    """Raises as soon as the loss or a weight is NaN or infinite.

    The loss alone does not tell: on CPUs a fused layer can turn NaN into zero, so that a ruined
    training reports "loss 0.0". The weights are looked at every some batches and after each epoch.

    Args:
        every: int, batches between two looks at the weights.

    Raises:
        ConditionError: names the epoch, the batch, and the loss or the first such weight.
    """

    def __init__(self, every=200):
        super().__init__()
        self.every = every
        self._epoch = 0
        self._last_look = 0

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch, self._last_look = epoch, 0

    def on_train_batch_end(self, batch, logs=None):
        if not np.isfinite(logs["loss"]):
            self._stop(batch, f"the loss is {logs['loss']}")
        if batch - self._last_look >= self.every:
            self._last_look = batch
            self._check_weights(batch)

    def on_epoch_end(self, epoch, logs=None):
        self._check_weights("the last")

    def _check_weights(self, batch):
        for weight in self.model.trainable_variables:
            if not np.isfinite(keras.ops.convert_to_numpy(weight)).all():
                self._stop(batch, f"weight {weight.path} holds NaN or infinity")

    def _stop(self, batch, what):
        raise ConditionError(
            f"Training stopped in epoch {self._epoch + 1}, batch {batch}: {what}. "
            "Lower learning_rate, set clip_norm, or use precision=float32."
        )
