"""Counts what a model computes, from its graph."""

import keras
import numpy as np

# Operations whose output is a view of their input, or no activation at all.
_NOT_STORED = {"Const", "Identity", "NoOp", "Placeholder", "ReadVariableOp", "Reshape", "Shape", "Squeeze"}
_NOT_STORED |= {"ExpandDims", "PartitionedCall", "StatefulPartitionedCall"}


def count_flops(model: keras.Model, example=None) -> int:
    """Returns the floating-point operations of one forward pass for one item, on the TensorFlow backend.

    `example` is an item of the inputs, nested as the model expects them; None for a model with one input of
    fixed shape.

    A multiplication and an addition count as two. Counted by TensorFlow's profiler over the operations that
    it supports: products of matrices, convolutions, poolings, sums, elementwise arithmetic.
    """
    from tensorflow.python.profiler import model_analyzer, option_builder
    from tensorflow.python.util import deprecation

    options = option_builder.ProfileOptionBuilder(option_builder.ProfileOptionBuilder.float_operation())
    with deprecation.silence():  # the notice that the profiler is of TensorFlow 1; TensorFlow 2 has none
        profile = model_analyzer.profile(_graph(model, example), options=options.with_empty_output().build())
    return int(profile.total_float_ops)


def count_activation_bytes(model):
    """Returns the bytes of all tensors that one forward pass for one image makes, views left out.

    It is what training has to hold until the gradients are there, if nothing is computed twice or fused.
    """
    total = 0
    for operation in _graph(model).get_operations():
        if operation.type not in _NOT_STORED:
            for tensor in operation.outputs:
                if tensor.shape.is_fully_defined() and tensor.dtype.is_floating:
                    total += int(np.prod(tensor.shape.as_list())) * tensor.dtype.size
    return total


def _graph(model, example=None):
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    if example is None or getattr(model, "inputs", None) and len(model.inputs) == 1:
        specification = tf.TensorSpec((1, *_sizes(model, example)), keras.config.floatx())
    else:
        specification = keras.tree.map_structure(
            lambda array: tf.TensorSpec((1, *np.shape(array)), np.asarray(array).dtype), example
        )
    function = tf.function(lambda inputs: model(inputs, training=False)).get_concrete_function(specification)
    return convert_variables_to_constants_v2(function).graph


def _sizes(model, example):
    """The shape of one item; open sizes are those of the example."""
    if example is None:
        return model.input_shape[1:]
    return np.shape(keras.tree.flatten(example)[0])
