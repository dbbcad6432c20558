"""The contract that all layers share; tests of one layer are in its own file."""

import importlib.util
import os
import subprocess
import sys

import keras
import layer_contract
import numpy as np
import pytest
from layer_contract import CASES, COMPOSITES, DENSE

from keras_vit import layers
from keras_vit.keras_internals import child_layers

each_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
each_composite = pytest.mark.parametrize("case", COMPOSITES.values(), ids=COMPOSITES.keys())
each_with_dense_layers = pytest.mark.parametrize("case", DENSE.values(), ids=DENSE.keys())
OF_TOKENS = {name: case for name, case in CASES.items() if case[2] != layer_contract.IMAGES}


def test_every_public_layer_is_held_to_the_contract():
    public = [getattr(layers, name) for name in layers.__all__]
    assert {case[0] for case in CASES.values()} == {x for x in public if issubclass(x, keras.layers.Layer)}


@each_case
def test_shapes_are_static_and_as_computed(case):
    layer_contract.check_shapes(case)


@each_case
def test_config_round_trip_is_exact(case):
    layer_contract.check_config(case)


@each_case
def test_saved_and_cloned_layers_give_equal_outputs(case, tmp_path):
    layer_contract.check_saving(case, tmp_path)


@each_case
def test_mixed_bfloat16_keeps_float32_weights_and_the_values(case):
    layer_contract.check_bfloat16(case)


@each_case
def test_gradients_reach_every_weight(case):
    layer_contract.check_training(case)


def test_every_layer_with_weights_in_inner_layers_is_among_the_composites():
    found = set()
    for make, arguments, shape, _ in CASES.values():
        layer = make(**arguments)
        layer.build(shape)
        if any(inner.weights for inner in child_layers(layer)):
            found.add(make)
    assert found == {case[0] for case in COMPOSITES.values()}


@pytest.mark.parametrize("case", OF_TOKENS.values(), ids=OF_TOKENS.keys())
def test_masks_are_passed_on_and_hidden_tokens_change_nothing(case):
    layer_contract.check_masks(case)


@pytest.mark.parametrize("built", [False, True], ids=["before build", "after build"])
@each_composite
def test_frozen_inner_layers_stay_frozen(case, built, tmp_path):
    layer_contract.check_freezing(case, built, tmp_path)


@each_composite
def test_a_frozen_layer_has_nothing_to_train_inside(case, tmp_path):
    layer_contract.check_frozen(case, tmp_path)


@pytest.mark.parametrize("mode", ["int8", "int4"])
@each_with_dense_layers
def test_quantized_layers_give_equal_outputs(case, mode, tmp_path):
    layer_contract.check_quantizing(case, mode, tmp_path)


@each_with_dense_layers
def test_low_rank_adapters_stay(case, tmp_path):
    layer_contract.check_lora(case, tmp_path)


@each_composite
def test_inner_layers_keep_a_data_type_policy_of_their_own(case, tmp_path):
    layer_contract.check_policies(case, tmp_path)


@pytest.mark.parametrize("mode", ["activations", "list_of_layers"])
@each_composite
def test_a_scope_of_rematerialization_does_not_change_the_outputs(case, mode):
    layer_contract.check_remat_scope(case, mode)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="looks at a TensorFlow graph")
@each_case
def test_a_fixed_batch_leaves_no_dynamic_shapes_in_the_graph(case):
    import tensorflow as tf

    model = layer_contract.functional(case, batch=1)
    function = tf.function(lambda x: model(x, training=False))
    graph = function.get_concrete_function(tf.TensorSpec((1, *case[2][1:]), tf.float32)).graph
    kinds = {operation.type for operation in graph.get_operations()}
    assert not kinds & {"Shape", "ShapeN", "Range", "Where", "Rank", "Size", "BroadcastArgs"}


@pytest.mark.parametrize(
    "backend", ["jax", *(pytest.param(name, marks=pytest.mark.slow) for name in ("tensorflow", "torch"))]
)
def test_outputs_are_equal_on_every_backend(backend, tmp_path):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    subprocess.run(
        [sys.executable, layer_contract.__file__, str(tmp_path / "there.npz")],
        env={**os.environ, "KERAS_BACKEND": backend},
        check=True,
        capture_output=True,
    )
    here, there = layer_contract.outputs(), np.load(tmp_path / "there.npz")
    assert set(there.files) == set(CASES)
    for name in here:
        scale = np.abs(here[name]).max()
        assert np.abs(here[name] - there[name]).max() <= 1e-5 * max(scale, 1), name
