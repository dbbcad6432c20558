"""Models whose weights are not drawn before they are read: half of the loading time of a large one."""

import contextlib

import keras
from keras import ops


@contextlib.contextmanager
def blank_weights():
    """Layers that are built inside have weights without a value; give each one by `fill` or `draw`."""
    # Keras builds models so when it traces them; from outside it has no name for it.
    with keras.StatelessScope(initialize_variables=False):
        yield


def fill(weight, array):
    """Gives a weight, blank or not, the values of an array."""
    if weight._value is None:
        weight._initialize(ops.convert_to_tensor(array, dtype=weight.dtype))
    else:
        weight.assign(array)


def draw(model):
    """Gives all weights of a model that are still blank the values that its layers would draw."""
    for variable in model.variables:
        if variable._value is None:
            variable._deferred_initialize()
