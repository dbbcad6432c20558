"""Stops a training whose loss or weights are NaN or infinite."""

import time

import keras
import numpy as np

from keras_vit.io.files import atomic_path
from keras_vit.training.checkpoint.run_state import state_variables
from keras_vit.training.nonfinite import NonFiniteError, first_nonfinite, is_finite, named_batch

SHARE = 0.01  # of the training time, at most, for checking all weights


class FiniteCheck(keras.callbacks.Callback):
    """Raises when the loss, a gradient or a weight is NaN or infinite, and finds the step and the layer.

    The loss alone is not enough: on CPUs a fused layer can turn NaN into zero, so that a diverged training
    reports "loss 0.0". All weights and optimizer variables (which a non-finite gradient corrupts) are checked
    and copied at intervals (at most 1 % of the time), after each epoch and before each saving. When they are
    not finite, the steps since the last good copy are repeated one by one.

    Args:
        batches: function from epoch and step to an iterable over the batches from there on, or None:
            the step and the layer are then not searched.
        path: str or Path of the `.npz` file for the batch of that step.

    Raises:
        NonFiniteError: names the epoch, the step, and what is not finite first.
    """

    def __init__(self, batches=None, path=None):
        super().__init__()
        self.batches = batches
        self.path = path
        self._good = None  # epoch, step, arrays
        self._next_check = 0.0

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch, self._step = epoch, None

    def on_train_batch_begin(self, batch, logs=None):
        if self._step is None:  # the first step of the epoch, or of a resumed run
            self._step = batch
            if self._good is None and self.batches is not None:
                self.check_and_copy()

    def on_train_batch_end(self, batch, logs=None):
        self._step = batch + 1
        if not np.isfinite(logs["loss"]):
            self._stop(f"the loss is {logs['loss']}")
        if time.monotonic() >= self._next_check:
            self.check_and_copy()

    def on_test_begin(self, logs=None):
        if self._step == self.params["steps"]:
            self.check_and_copy()

    def on_epoch_end(self, epoch, logs=None):
        for name, value in logs.items():
            if not np.isfinite(value):
                self._stop(f"{name} is {value}")
        self.check()

    def check(self):
        """Raises unless all numbers of the model and the optimizer are finite."""
        if keras.backend.backend() == "jax":
            self.model.jax_state_sync()
        for variable in state_variables(self.model):
            if not is_finite(variable):
                self._stop(f"{variable.path} contains NaN or infinity")

    def check_and_copy(self):
        """Checks, and keeps a copy from which steps can be repeated."""
        start = time.monotonic()
        self.check()
        if self.batches is not None:
            self._good = (self._epoch, self._step, _copies(self.model))
        now = time.monotonic()
        self._next_check = now + (now - start) / SHARE

    def _stop(self, what):
        epoch, step = self._epoch, self._step
        found = None
        if self._good is not None:
            found = self._find_step()
        if found is not None:
            epoch, step, batch, cause = found
            what = cause or what
            self._save(epoch, step, *batch)
            what += f". The batch is saved in {self.path}"
        raise NonFiniteError(
            f"Training stopped in epoch {epoch + 1}, step {step}: {what}. "
            "Lower learning_rate, set clip_norm, or use precision=float32."
        )

    def _find_step(self):
        """Returns epoch, step, batch and cause of the first step with non-finite results."""
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
            if np.isfinite(loss) and all(map(is_finite, state_variables(model))):
                continue
            _assign(model, before)
            return number // steps, number % steps + 1, batch, first_nonfinite(model, *batch)
        return None

    def _save(self, epoch, step, *batch):
        arrays = named_batch(self.model, *batch)
        with atomic_path(self.path) as temporary, open(temporary, "wb") as file:
            np.savez(file, **arrays, epoch=epoch + 1, step=step)


def _copies(model):
    return [np.array(keras.ops.convert_to_numpy(variable)) for variable in state_variables(model)]


def _assign(model, arrays):
    for variable, array in zip(state_variables(model), arrays, strict=True):
        variable.assign(array)
