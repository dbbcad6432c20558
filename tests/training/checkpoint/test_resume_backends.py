import importlib.util
import os
import subprocess
import sys

import pytest


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_a_run_killed_within_an_epoch_resumes_bit_identically(backend, tmp_path):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={
            **os.environ,
            "KERAS_BACKEND": backend,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "JAX_COMPILATION_CACHE_DIR": str(tmp_path),  # three trainings compile the same
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        },
        cwd=tmp_path,
        check=True,
        timeout=600,
    )


PROGRAM = """
from pathlib import Path
import keras
import numpy as np
from keras_vit.training.fit import fit
from keras_vit.training.recipe import ImageRecipe
from keras_vit.training.checkpoint.state_file import read_state

recipe = ImageRecipe(
    data="digits", variant="Pico/4", num_layers=1, hidden_dim=16, num_heads=2, mlp_dim=32, pooling="gap",
    epochs=2, batch_size=64, subset=512, dropout_rate=0.1, drop_path_rate=0.2, ema_momentum=0.9,
    early_stopping_patience=2, mixup_alpha=0.4, steps_per_execution=2,
)


class Kill(keras.callbacks.Callback):
    def __init__(self, epoch, batch):
        super().__init__()
        self.at = (epoch, batch)

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch) == self.at:
            raise KeyboardInterrupt


def last(run):
    return read_state(sorted(Path(run, "state").glob("*.state"))[-1])


fit(recipe, "whole")
try:
    fit(recipe, "parts", checkpoint_every="2", callbacks=[Kill(1, 5)])
except KeyboardInterrupt:
    document = last("parts")[1]
    assert (document["epoch"], document["step"]) == (1, 4), document
fit(recipe, "parts", resume=True)
(arrays, document), (expected, _) = last("parts"), last("whole")
assert document["epoch"] == 2 and len(arrays) == len(expected) > 30
for array, value in zip(arrays, expected, strict=True):
    np.testing.assert_array_equal(array, value)
"""
