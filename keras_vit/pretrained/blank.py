"""Models whose weights are not drawn before they are read: half of the loading time of a large one."""

import contextlib

import keras
from keras import ops
from keras.src.backend.common import global_state


@contextlib.contextmanager
def blank_weights():
    """Layers that are built inside have weights without a value; give each one by `fill` or `draw`."""
    # Keras builds models so when it traces them, and remembers whose weights to draw when the next trace
    # ends: not ours, which have their values by then.
    remembered = list(global_state.get_global_attribute("uninitialized_variables") or [])
    try:
        with keras.StatelessScope(initialize_variables=False):
            yield
    finally:
        global_state.set_global_attribute("uninitialized_variables", remembered)


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
