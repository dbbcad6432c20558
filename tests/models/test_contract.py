"""What the models of images share; what is particular to one stands in its own file."""

import importlib.util
import os
import subprocess
import sys

import model_contract
import numpy as np
import pytest
from model_contract import CASES

each_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


@each_case
def test_logits_are_float32_and_the_same_for_uint8_and_float_images(case):
    model_contract.check_logits(case)


@each_case
def test_a_seed_decides_the_initial_weights_and_no_two_layers_begin_alike(case):
    model_contract.check_seed(case)


@each_case
def test_saved_and_cloned_models_give_equal_logits(case, tmp_path):
    model_contract.check_saving(case, tmp_path)


@each_case
def test_mixed_bfloat16_keeps_float32_weights_and_the_values(case):
    model_contract.check_bfloat16(case)


@each_case
def test_a_step_moves_every_weight(case):
    model_contract.check_training(case)


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_logits_are_equal_on_every_backend(backend, tmp_path):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    model_contract.write_outputs(tmp_path / "here.npz")
    subprocess.run(
        [sys.executable, model_contract.__file__, str(tmp_path / "there.npz")],
        env={**os.environ, "KERAS_BACKEND": backend, "XLA_FLAGS": "--xla_backend_optimization_level=0"},
        check=True,
        capture_output=True,
    )
    here, there = np.load(tmp_path / "here.npz"), np.load(tmp_path / "there.npz")
    assert set(there.files) == set(here.files)
    for name in here.files:
        scale = np.abs(here[name]).max()
        assert np.abs(here[name] - there[name]).max() <= 1e-5 * max(scale, 1), name
