"""Stops a training whose loss or weights are NaN or infinite, and finds where they come from."""

import contextlib
import time

import keras
import numpy as np

from keras_vit.errors import ConditionError
from keras_vit.io.files import atomic_path
from keras_vit.keras_internals import all_layers
from keras_vit.training.checkpoint.run_state import assign, state_variables

SHARE = 0.01  # of the training time, at most, for checking all weights


class NonFiniteError(ConditionError):
    """Loss, gradients or weights of a training are NaN or infinite."""


class FiniteCheck(keras.callbacks.Callback):
    """Raises when the loss, a gradient or a weight is NaN or infinite, and finds the step and the layer.

    The loss alone is not enough: on CPUs a fused layer can turn NaN into zero, so that a diverged training
    reports "loss 0.0". All weights and optimizer variables (which a non-finite gradient corrupts) are checked
    and copied at intervals (at most 1 % of the time), after each epoch and before each saving. When they are
    not finite, the steps since the last good copy are repeated one by one, and the batch of the first bad one
    is saved as an `.npz` file.

    `batches` is a function from epoch and step to an iterable over the batches from there on, or None: the
    step and the layer are then not searched.
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
        if not np.isfinite(logs.get("loss", 0.0)):
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
        for variable in state_variables(self.model):
            if not is_finite(variable):
                self._stop(f"{variable.path} contains NaN or infinity")

    def check_and_copy(self):
        """Checks the weights, and copies them so that the steps can be repeated."""
        start = time.monotonic()
        self.check()
        if self.batches is not None:
            self._good = (self._epoch, self._step, _copies(self.model))
        now = time.monotonic()
        self._next_check = now + (now - start) / SHARE

    def _stop(self, what):
        epoch, step = self._epoch, self._step
        found = None if self._good is None else self._find_step()
        if found is not None:
            epoch, step, batch, cause = found
            arrays = named_batch(self.model, *batch)
            with atomic_path(self.path) as temporary, open(temporary, "wb") as file:
                np.savez(file, **arrays, epoch=epoch + 1, step=step)
            what = f"{cause or what}. The batch is saved in {self.path}"
        raise NonFiniteError(
            f"Training stopped in epoch {epoch + 1}, step {step}: {what}. "
            "Lower learning_rate, set clip_norm, or use precision=float32."
        )

    def _find_step(self):
        """Returns epoch, step, batch and cause of the first step with non-finite results."""
        model, steps = self.model, self.params["steps"]
        epoch, step, arrays = self._good
        assign(state_variables(model), arrays)
        last = self._epoch * steps + self._step
        for number, batch in enumerate(self.batches(epoch, step), epoch * steps + step):
            if number >= last:
                return None
            before = _copies(model)
            model.reset_metrics()
            loss = model.train_on_batch(*batch, return_dict=True)["loss"]
            if np.isfinite(loss) and all(map(is_finite, state_variables(model))):
                continue
            assign(state_variables(model), before)
            return number // steps, number % steps + 1, batch, first_nonfinite(model, *batch)
        return None


def first_nonfinite(model, x, y, weights=None) -> str | None:
    """Returns what in a training step of a compiled model is not finite first, None when all of it is finite.

    It is the batch, a layer, the loss or a gradient; `weights` are those of the labels in the loss. The
    layers run one by one, outside of the compiled step: on CPUs its fused layers can turn NaN into zero, and
    hide where it came from. Random state advances as in a training step.
    """
    return _in_batch(model, x, y, weights) or _in_layers(model, x) or _in_loss(model, x, y, weights)


def named_batch(model, x, y, weights=None):
    """Returns a dict of a batch's NumPy arrays, by the names of the model's inputs, `labels`, `weights`."""
    named = dict(zip((tensor.name for tensor in model.inputs), keras.tree.flatten(x), strict=True))
    named |= {"labels": y} if weights is None else {"labels": y, "weights": weights}
    return {name: keras.ops.convert_to_numpy(array) for name, array in named.items()}


def is_finite(array):
    """Returns whether all elements of an array of any type are finite."""
    array = keras.ops.convert_to_numpy(array)
    return array.dtype.kind in "iub" or bool(np.isfinite(array.astype("float32", copy=False)).all())


def _in_batch(model, *batch):
    for name, array in named_batch(model, *batch).items():
        if not is_finite(array):
            rows = [i for i, row in enumerate(array) if not is_finite(row)]
            return f"the batch's {name} hold NaN or infinity in row {', '.join(map(str, rows[:5]))}"
    return None


def _in_layers(model, x):
    found = []
    with contextlib.ExitStack() as stack:
        for layer in (layer for layer in all_layers(model) if layer.built):
            stack.enter_context(_watched(layer, "call", f"the output of layer {_path(layer)}", found))
            if callable(layer.__dict__.get("activation")):
                what = f"layer {_path(layer)}, before its activation,"
                stack.enter_context(_watched(layer, "activation", what, found))
        model(x, training=True)
    return f"{found[0]} is not finite" if found else None


def _in_loss(model, x, y, weights):
    loss, gradients = _gradients(model, x, y, weights)
    if not is_finite(loss):
        return f"the loss is {float(keras.ops.convert_to_numpy(loss))}, though all layers' outputs are finite"
    for variable, gradient in reversed(list(zip(model.trainable_variables, gradients, strict=True))):
        if gradient is not None and not is_finite(gradient):
            return f"the gradient of weight {variable.path} is not finite, though the loss is"
    return None


def _gradients(model, x, y, weights):
    variables = model.trainable_variables
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        first = model.distribute_strategy.experimental_local_results  # of several devices, or of one
        with tf.GradientTape() as tape:
            loss = model.compute_loss(x, y, model(x, training=True), weights)
        gradients = tape.gradient(loss, [first(variable.value)[0] for variable in variables])
        return loss, [None if g is None else tf.convert_to_tensor(g) for g in gradients]
    if keras.backend.backend() == "jax":
        import jax

        def loss_of(values):
            fixed = [v.value for v in model.non_trainable_variables]
            return model.compute_loss(x, y, model.stateless_call(values, fixed, x, training=True)[0], weights)

        return jax.value_and_grad(loss_of)([v.value for v in variables])
    import torch

    loss = model.compute_loss(x, y, model(x, training=True), weights)
    return loss, torch.autograd.grad(loss, [v.value for v in variables], allow_unused=True)


def _path(layer):
    return getattr(layer, "path", None) or layer.name


@contextlib.contextmanager
def _watched(layer, method, what, found):
    original = getattr(layer, method)
    own = {method: original} if method in layer.__dict__ else {}

    def watched(*arguments, **options):
        result = original(*arguments, **options)
        looked_at = arguments[0] if method == "activation" else result
        if not found and not all(map(is_finite, keras.tree.flatten(looked_at))):
            found.append(what)
        return result

    layer.__dict__[method] = watched
    try:
        yield
    finally:
        del layer.__dict__[method]
        layer.__dict__.update(own)


def _copies(model):
    return [np.array(keras.ops.convert_to_numpy(variable)) for variable in state_variables(model)]
