"""Each private name of Keras still means what this package takes it for."""

import threading

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_vit import layers
from keras_vit.keras_internals import (
    EMA_SWAP_STATE,
    all_layers,
    child_layers,
    global_seed,
    initialize,
    is_graph,
    replaced_methods,
    run_graph,
    seed_generators,
    set_global_seed,
    set_weight,
    sign_by_comparison,
    source_inputs,
    source_of,
    takes_training,
    uninitialized_weights,
)


def dense():
    layer = keras.layers.Dense(2)
    layer.build((None, 3))
    return layer


def test_weights_have_no_values_until_they_are_set_or_initialized():
    with uninitialized_weights():
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    kernel, bias = model.weights
    assert kernel._value is None and bias._value is None
    set_weight(kernel, np.full((3, 2), 5.0))
    initialize(model)
    np.testing.assert_array_equal(model.predict(np.ones((1, 3)), verbose=0), [[15.0, 15.0]])


@pytest.mark.parametrize("failed", [False, True])
def test_keras_does_not_initialize_them_when_it_next_traces_a_layer(failed):
    try:
        with uninitialized_weights():
            layer = dense()
            if failed:
                raise KeyError
    except KeyError:
        pass
    set_weight(layer.kernel, np.ones((3, 2)))
    with keras.StatelessScope():
        other = dense()
    np.testing.assert_array_equal(layer.kernel, np.ones((3, 2)))
    assert layer.bias._value is None and other.bias._value is not None


def test_layers_within_layers_are_found():
    block = layers.TransformerBlock(num_heads=2, mlp_dim=8)
    block.build((None, 3, 4))
    model = keras.Sequential([keras.Input((3, 4)), block])
    assert block.mlp in child_layers(block) and block.mlp.expansion not in child_layers(block)
    assert all_layers(model)[0] is model and block.mlp.expansion in all_layers(model)


def test_the_seed_generators_of_a_layer_are_found():
    layer = keras.layers.Dropout(0.5, seed=1)
    assert seed_generators(layer) == [layer.seed_generator] and seed_generators(keras.layers.Dense(2)) == []


def test_the_operation_and_the_output_that_a_tensor_comes_from_are_found():
    layer = keras.layers.LSTM(2, return_state=True)
    assert source_of(layer(keras.Input((3, 4)))[2]) == (layer, 2)


def test_a_graph_runs_with_other_operations():
    inputs = keras.Input((2,))
    model = keras.Model(inputs, keras.layers.Dense(2)(inputs))
    assert is_graph(model) and not is_graph(model.layers[1])
    for graph in (model, keras.Sequential([inputs, model.layers[1]])):
        assert run_graph(graph, np.ones((1, 2)), lambda operation: lambda x: x * 3).tolist() == [[3, 3]]


def test_the_best_place_is_found_without_bitwise_operators():
    x = np.array([[3.0, -1.0, 3.0], [-0.0, -2.0, -1.0]], "float32")
    with sign_by_comparison():
        graph = tf.function(lambda x: (keras.ops.argmax(x, -1), keras.ops.signbit(x))).get_concrete_function(
            x
        )
    best, negative = graph(tf.constant(x))
    assert best.numpy().tolist() == [0, 0]
    assert negative.numpy().tolist() == [[False, True, False], [False, True, True]]
    assert not [node.name for node in graph.graph.as_graph_def().node if "Bitwise" in node.op]
    assert keras.ops.signbit(x)[1, 0]  # Keras's own again


def test_layers_that_take_training_are_known():
    assert takes_training(keras.layers.Dropout(0.5)) and not takes_training(keras.layers.Reshape((2,)))


def test_the_callback_of_averaged_weights_has_its_state():
    assert getattr(keras.callbacks.SwapEMAWeights(), EMA_SWAP_STATE) is False


def test_methods_are_not_replaced_for_layers_of_another_thread():
    counted = []

    def init(original, layer, *args, **kwargs):
        counted.append(1)
        original(layer, *args, **kwargs)

    with replaced_methods(__init__=init):
        keras.layers.Activation("relu")
        thread = threading.Thread(target=keras.layers.Activation, args=("relu",))
        thread.start()
        thread.join()
    assert counted == [1]


def test_a_tensor_knows_what_it_was_computed_from_also_where_its_layer_is_called_twice():
    dense, first = keras.layers.Dense(3), keras.Input((3,))
    second = dense(first)
    third = dense(second)
    assert source_inputs(second)[0] is first and source_inputs(third)[0] is second


def test_random_functions_without_a_seed_continue_from_a_saved_state():
    keras.random.normal((1,))
    state = global_seed()
    first = keras.random.normal((3,))
    assert global_seed() != state
    set_global_seed(state)
    np.testing.assert_array_equal(first, keras.random.normal((3,)))
