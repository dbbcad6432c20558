"""The contract that all layers share; what is particular to one stands in its own file."""

import importlib.util
import os
import subprocess
import sys

import keras
import layer_contract
import numpy as np
import pytest
from layer_contract import CASES

from keras_vit import layers

each_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


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


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="looks at a TensorFlow graph")
@each_case
def test_a_fixed_batch_leaves_no_dynamic_shapes_in_the_graph(case):
    import tensorflow as tf

    model = layer_contract.functional(case, batch=1)
    function = tf.function(lambda x: model(x, training=False))
    graph = function.get_concrete_function(tf.TensorSpec((1, *case[2][1:]), tf.float32)).graph
    kinds = {operation.type for operation in graph.get_operations()}
    assert not kinds & {"Shape", "ShapeN", "Range", "Where", "Rank", "Size", "BroadcastArgs"}


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_outputs_are_equal_on_every_backend(backend, tmp_path):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    layer_contract.write_outputs(tmp_path / "here.npz")
    subprocess.run(
        [sys.executable, layer_contract.__file__, str(tmp_path / "there.npz")],
        env={**os.environ, "KERAS_BACKEND": backend},
        check=True,
        capture_output=True,
    )
    here, there = np.load(tmp_path / "here.npz"), np.load(tmp_path / "there.npz")
    assert set(here.files) == set(CASES)
    for name in here.files:
        scale = np.abs(here[name]).max()
        assert np.abs(here[name] - there[name]).max() <= 1e-5 * max(scale, 1), name
