"""Finds where in a model NaN or infinity comes from."""

import contextlib

import keras
import numpy as np

from keras_vit.errors import ConditionError
from keras_vit.keras_internals import child_layers


class NonFiniteError(ConditionError):
    """Loss, gradients or weights of a training are NaN or infinite."""


def first_nonfinite(model, x, y, weights=None):
    """Returns what in a training step is not finite first: the batch, a layer, the loss or a gradient.

    The layers run one by one, outside of the compiled step: on CPUs its fused layers can turn NaN into
    zero, and hide where it came from. Random state advances as in a training step.

    Args:
        model: compiled keras.Model.
        x: inputs of a batch.
        y: its labels.
        weights: of its labels in the loss, or None.

    Returns:
        str, or None when loss and gradients are finite.
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
        for layer in _layers(model):
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


def _layers(layer):
    inner = [below for child in child_layers(layer) for below in _layers(child)]
    return [*inner, layer] if layer.built else inner


def _path(layer):
    return getattr(layer, "path", None) or layer.name


@contextlib.contextmanager
def _watched(layer, method, what, found):
    original, own = getattr(layer, method), layer.__dict__.get(method)

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
        if own is None:
            del layer.__dict__[method]
        else:
            layer.__dict__[method] = own
