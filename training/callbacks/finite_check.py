"""Stops a training whose numbers are no longer numbers."""

import time

import keras
import numpy as np

from keras_vit.io.files import atomic_path
from keras_vit.training.nonfinite import NonFiniteError, first_nonfinite, is_finite, named_batch

SHARE = 0.01  # of the time, at most, that looking at all weights takes


class FiniteCheck(keras.callbacks.Callback):
    """Raises when the loss, a gradient or a weight is NaN or infinite, and finds the step and the layer.

    The loss alone does not tell: on CPUs a fused layer can turn NaN into zero, so that a ruined
    training reports "loss 0.0". All weights and the optimizer's memory (which a gradient that is not finite
    ruins) are looked at and copied every now and then, in 1 % of the time at most, after each epoch and
    before each saving. When they are ruined, the steps since the last good copy are done again one by one.

    Args:
        batches: function from epoch and step to an iterable over the batches from there on, or None:
            the step and the layer are then not looked for.
        path: str or Path of the `.npz` file for the batch of that step.

    Raises:
        NonFiniteError: names the epoch, the step, and what is not finite first.
    """

    def __init__(self, batches=None, path=None):
        super().__init__()
        self.batches = batches
        self.path = path
        self._good = None  # epoch, step, arrays
        self._next_look = 0.0

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch, self._step = epoch, None

    def on_train_batch_begin(self, batch, logs=None):
        if self._step is None:  # the epoch's first step, or where the run was resumed
            self._step = batch
            if self._good is None and self.batches is not None:
                self.look()

    def on_train_batch_end(self, batch, logs=None):
        self._step = batch + 1
        if not np.isfinite(logs["loss"]):
            self._stop(f"the loss is {logs['loss']}")
        if time.monotonic() >= self._next_look:
            self.look()

    def on_test_begin(self, logs=None):
        if self._step == self.params["steps"]:
            self.look()

    def on_epoch_end(self, epoch, logs=None):
        for name, value in logs.items():
            if not np.isfinite(value):
                self._stop(f"{name} is {value}")
        self.check()

    def check(self):
        """Raises unless all numbers of the model and the optimizer are finite."""
        if keras.backend.backend() == "jax":
            self.model.jax_state_sync()
        for variable in _variables(self.model):
            if not is_finite(variable):
                self._stop(f"{variable.path} holds NaN or infinity")

    def look(self):
        """Checks, and keeps a copy from which steps can be done again."""
        begun = time.monotonic()
        self.check()
        if self.batches is not None:
            self._good = (self._epoch, self._step, _copies(self.model))
        now = time.monotonic()
        self._next_look = now + (now - begun) / SHARE

    def _stop(self, what):
        epoch, step = self._epoch, self._step
        found = None
        if self._good is not None:
            found = self._step_again()
        if found is not None:
            epoch, step, batch, cause = found
            what = cause or what
            self._save(epoch, step, *batch)
            what += f". The batch is saved in {self.path}"
        raise NonFiniteError(
            f"Training stopped in epoch {epoch + 1}, step {step}: {what}. "
            "Lower learning_rate, set clip_norm, or use precision=float32."
        )

    def _step_again(self):
        """Returns epoch, step, batch and cause of the first step that ruins the numbers."""
        model, steps = self.model, self.params["steps"]
        epoch, step, arrays = self._good
        _assign(model, arrays)
        last = self._epoch * steps + self._step
        for number, batch in enumerate(self.batches(epoch, step), epoch * steps + step):
            if number >= last:
                return None
            before = _copies(model)
            model.reset_metrics()
            loss = model.train_on_batch(*batch, return_dict=True)["loss"]
            if np.isfinite(loss) and all(map(is_finite, _variables(model))):
                continue
            _assign(model, before)
            return number // steps, number % steps + 1, batch, first_nonfinite(model, *batch)
        return None

    def _save(self, epoch, step, *batch):
        arrays = named_batch(self.model, *batch)
        with atomic_path(self.path) as temporary, open(temporary, "wb") as file:
            np.savez(file, **arrays, epoch=epoch + 1, step=step)


def _variables(model):
    model.optimizer.build(model.trainable_variables)
    return [*model.variables, *model.optimizer.variables]


def _copies(model):
    return [np.array(keras.ops.convert_to_numpy(variable)) for variable in _variables(model)]


def _assign(model, arrays):
    for variable, array in zip(_variables(model), arrays, strict=True):
        variable.assign(array)
