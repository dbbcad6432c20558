"""Our layers' outputs and gradients compared with NumPy's in float64, derived by hand.

An error is the largest difference in an array, as a share of the largest value in it (the maximum norm).
"""

import keras
import numpy as np
import pytest

TOLERANCE = 1e-5  # float32 has steps of 6e-8, and no case here more than some hundred roundings


def randomised(model, seed=0, scale=0.5):
    """Draws all weights of a layer or model again, so that no bias is 0 and no factor 1."""
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        centre = weight.path.split("/")[-1] in ("gamma", "moving_variance")
        weight.assign(centre + scale * rng.uniform(-1, 1, weight.shape))
    return model


def weights_of(model):
    """The weights as float64 arrays, by their paths inside the model, such as `"head/kernel"`."""
    arrays = [keras.ops.convert_to_numpy(weight).astype("float64") for weight in model.weights]
    return dict(zip([_name(model, weight) for weight in model.weights], arrays, strict=True))


def ours(model, x, loss, **options):
    """Returns the outputs, and the gradients of `loss(outputs)` by the weights and by `x`, None if ints."""
    if keras.backend.backend() != "tensorflow":
        pytest.skip("takes gradients with TensorFlow")
    import tensorflow as tf

    x, weights = tf.constant(x), model.trainable_weights
    with tf.GradientTape() as tape:
        if x.dtype.is_floating:
            tape.watch(x)
        outputs = model(x, **options)
        value = loss(outputs)
    gradients, by_x = tape.gradient(value, ([weight.value for weight in weights], x))
    named = {_name(model, weight): g.numpy() for weight, g in zip(weights, gradients, strict=True)}
    return outputs.numpy(), named, None if by_x is None else by_x.numpy()


def _name(model, weight):
    return weight.path.removeprefix(f"{model.name}/")


def assert_equal(ours, theirs):
    """Checks an array, or a dict of arrays with the same names."""
    if isinstance(theirs, dict):
        assert set(ours) == set(theirs)
        for name in theirs:
            assert error(ours[name], theirs[name]) < TOLERANCE, name
    else:
        assert error(ours, theirs) < TOLERANCE


def error(ours, theirs):
    assert theirs.dtype == "float64"
    assert ours.shape == theirs.shape, (ours.shape, theirs.shape)
    return np.abs(ours - theirs).max() / np.abs(theirs).max()


def numerical_gradient(function, x, step=1e-5):
    """The gradient of a function of an array to a number, by central differences."""
    gradient = np.empty_like(x)
    for place in np.ndindex(x.shape):
        before = x[place]
        x[place] = before + step
        above = function(x)
        x[place] = before - step
        gradient[place] = (above - function(x)) / (2 * step)
        x[place] = before
    return gradient


def softmax_cross_entropy(logits, labels):
    """Returns the mean over all rows of `(..., num_classes)`, and its gradient by the logits."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    log_sums = np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    right = np.eye(logits.shape[-1])[labels]
    loss = -((shifted - log_sums) * right).sum() / labels.size
    return loss, (np.exp(shifted - log_sums) - right) / labels.size
