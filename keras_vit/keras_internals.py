"""Every private name of Keras that this package uses, as read in Keras 3.15.1.

Each function states why there is no public way. `tests/test_keras_internals.py` fails where a later Keras
has changed one of them.
"""

import contextlib
import threading

import keras
from keras.src.backend.common import global_state
from keras.src.models.functional import Functional
from keras.src.random.seed_generator import GLOBAL_SEED_GENERATOR, global_seed_generator

UNINITIALIZED = "uninitialized_variables"
EMA_SWAP_STATE = "_ema_weights_in_model"  # of SwapEMAWeights: whether the averages are in the model now


def all_layers(layer):
    """Returns a layer or model and all layers inside; `Model.layers` skips what composite layers contain."""
    return layer._flatten_layers()


def stateful_layers(layer):
    """Returns the names of the layers inside that keep a state from call to call."""
    return [inner.name for inner in all_layers(layer) if getattr(inner, "stateful", False)]


def child_layers(layer):
    """Returns the layers that a layer or model holds directly; only models have a public list."""
    return layer._flatten_layers(include_self=False, recursive=False)


def seed_generators(layer):
    """Returns the `SeedGenerator`s of a layer itself; none are public."""
    return layer._seed_generators


def global_seed():
    """Returns what random functions without a seed draw from next, two int, or None before the first one.

    The generator that they share is not public.
    """
    generator = global_state.get_global_attribute(GLOBAL_SEED_GENERATOR)
    return None if generator is None else keras.ops.convert_to_numpy(generator.state).tolist()


def set_global_seed(state):
    """Lets random functions without a seed continue from what `global_seed` returned."""
    global_seed_generator().state.assign(state)


def source_of(tensor):
    """Returns `(operation, output index)` that a symbolic tensor comes from; no public attribute does."""
    operation, _, index = tensor._keras_history
    return operation, index


def source_inputs(tensor):
    """Returns the symbolic tensors that a tensor was computed from; only those of a first call are public."""
    operation, node, _ = tensor._keras_history
    return operation._inbound_nodes[node].input_tensors


def is_graph(layer):
    """Returns whether it is a functional or built Sequential model whose `call` is Keras's own.

    `keras.Functional` is not public.
    """
    if isinstance(layer, keras.Sequential):
        return type(layer).call is keras.Sequential.call and layer._functional is not None
    return isinstance(layer, Functional) and type(layer).call is Functional.call


def run_graph(model, inputs, operation_fn):
    """Runs a functional or Sequential model with `operation_fn(operation)` in place of each operation.

    `keras.models.clone_model` does this for layers only, and for Keras tensors only. Tensors are cast and
    reshaped as the model's `call` does; other values are passed on unchanged. Outputs have the structure that
    `call` returns.
    """
    graph = model._functional if isinstance(model, keras.Sequential) else model
    if all(map(keras.ops.is_tensor, keras.tree.flatten(inputs))):
        inputs = graph._standardize_inputs(inputs)
    outputs = graph._run_through_graph(inputs, operation_fn=operation_fn)
    return outputs[0] if isinstance(outputs, list | tuple) and len(outputs) == 1 else outputs


def input_structure(model):
    """Returns the symbolic inputs of a graph in the structure in which they are passed.

    `Model.input` has it too, but not of a Sequential model.
    """
    return model.inputs[0] if isinstance(model, keras.Sequential) else model._inputs_struct


def output_structure(model):
    """Returns the symbolic outputs of a graph in the structure that its `call` returns."""
    structure = model.outputs if isinstance(model, keras.Sequential) else model._outputs_struct
    return structure[0] if isinstance(structure, list | tuple) and len(structure) == 1 else structure


def mask_of(tensor):
    """Returns the mask that a layer such as `Embedding` left on a tensor, or None; it is not public."""
    return getattr(tensor, "_keras_mask", None)


def dequantized(layer):
    """Returns the float kernel or table that a layer quantized to int8 has in its integers and scales.

    Its public attributes return the integers.
    """
    if isinstance(layer, keras.layers.Embedding):
        values, scale = layer._embeddings, keras.ops.expand_dims(layer.embeddings_scale, -1)
    elif isinstance(layer, keras.layers.EinsumDense):
        values, scale = layer._kernel, layer._adjust_scale_for_dequant(layer.kernel_scale)
    else:
        values, scale = layer._kernel, layer.kernel_scale
    return keras.ops.cast(values, "float32") / scale


def metric_direction(metric):
    """Returns `"up"` or `"down"`: where a Keras metric is better; None where it does not say."""
    return getattr(metric, "_direction", None)


@contextlib.contextmanager
def replaced_methods(**replacements):
    """Lets functions compute what methods of Keras's base layer do for this thread while the block runs.

    Each is called with the original method, the layer and its arguments. Only methods of the base class also
    reach layers that do not exist yet, and calls in the code of other layers and of subclassed models.
    """
    layer_class, thread = keras.layers.Layer, threading.get_ident()
    originals = {name: getattr(layer_class, name) for name in replacements}

    def method(name):
        def of_this_thread(layer, *args, **kwargs):
            if threading.get_ident() != thread:
                return originals[name](layer, *args, **kwargs)
            return replacements[name](originals[name], layer, *args, **kwargs)

        return of_this_thread

    for name in replacements:
        setattr(layer_class, name, method(name))
    try:
        yield
    finally:
        for name, original in originals.items():
            setattr(layer_class, name, original)


def replaced_calls(replace):
    """Lets `replace(layer, *args, **kwargs)` compute the calls of layers by this thread inside the block.

    Where it returns `NotImplemented`, the layer is called as usual.
    """

    def replaced_call(call, layer, *args, **kwargs):
        result = replace(layer, *args, **kwargs)
        return call(layer, *args, **kwargs) if result is NotImplemented else result

    return replaced_methods(__call__=replaced_call)


@contextlib.contextmanager
def sign_by_comparison():
    """Lets TensorFlow's `signbit`, and `argmax` and `argmin` that call it, compare with 0 inside the block.

    Keras computes them with bitwise operators, which LiteRT does not have, to tell -0.0 from 0.0.
    """
    from keras.src.backend.tensorflow import numpy

    signbit = numpy.signbit
    numpy.signbit = lambda x: numpy.less(x, 0)
    try:
        yield
    finally:
        numpy.signbit = signbit


def remat_mode(layer):
    """Returns the mode of the `RematScope` a layer was created in, or None; no public attribute does."""
    return layer._remat_mode and layer._remat_mode.mode


def takes_training(layer):
    """Returns whether the layer's `call` has the argument `training`."""
    return layer._call_has_training_arg


@contextlib.contextmanager
def uninitialized_weights():
    """Layers built inside have weights without values; assign them with `set_weight` or `initialize`.

    Half of the loading time of a large model is the random initialization of weights that are then read
    from a file. `StatelessScope` alone would let Keras initialize them at the end of its next trace.
    """
    remembered = list(global_state.get_global_attribute(UNINITIALIZED) or [])
    try:
        with keras.StatelessScope(initialize_variables=False):
            yield
    finally:
        global_state.set_global_attribute(UNINITIALIZED, remembered)


def set_weight(weight, array):
    """Assigns an array to a weight, with or without a value so far."""
    if weight._value is None:
        weight._initialize(keras.ops.convert_to_tensor(array, dtype=weight.dtype))
    else:
        weight.assign(array)


def initialize(model):
    """Initializes the weights of a model that have no values yet, as its layers define."""
    for variable in model.variables:
        if variable._value is None:
            variable._deferred_initialize()
