"""The contract that image models share; tests of one model are in its own file."""

import importlib.util
import itertools
import os
import subprocess
import sys

import model_contract
import numpy as np
import pytest
from model_contract import CASES, RANDOM

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


@pytest.fixture(
    scope="module",
    params=["jax", *(pytest.param(name, marks=pytest.mark.slow) for name in ("tensorflow", "torch"))],
)
def arrays(request, tmp_path_factory):
    """What the contract writes as a program under each backend."""
    backend = request.param
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    path = tmp_path_factory.mktemp(backend) / "arrays.npz"
    subprocess.run(
        [sys.executable, model_contract.__file__, str(path)],
        env={**os.environ, "KERAS_BACKEND": backend},
        check=True,
        capture_output=True,
    )
    return dict(np.load(path))


def test_logits_are_equal_on_every_backend(arrays):
    there = {name.removeprefix("logits "): x for name, x in arrays.items() if name.startswith("logits ")}
    here = model_contract.outputs()
    assert set(there) == set(here)
    for name in here:
        scale = np.abs(here[name]).max()
        assert np.abs(here[name] - there[name]).max() <= 1e-5 * max(scale, 1), name


@pytest.mark.parametrize("name", RANDOM)
def test_each_random_layer_of_a_model_draws_masks_of_its_own(arrays, name):
    masks = {path: steps for path, steps in arrays.items() if path.startswith(f"{name}/")}
    assert len(masks) == RANDOM[name][2]
    drawn = [(path, step, mask) for path, steps in masks.items() for step, mask in enumerate(steps)]
    for (path, step, mask), (other_path, other_step, other) in itertools.combinations(drawn, 2):
        assert (mask == other).mean() < 0.9, f"{path}, step {step}, and {other_path}, step {other_step}"
