"""Text with parts of the user's own, killed with -9 within an epoch, ends as a run that never stopped."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from keras_vit.training.checkpoint.state_file import read_state

PARTS = '''
import keras
from keras import ops

@keras.saving.register_keras_serializable("killed")
class Noise(keras.layers.Layer):
    """Draws from Keras's global generator, as a call without a seed does."""

    def call(self, x, training=False):
        return x + 0.1 * keras.random.normal(ops.shape(x)) if training else x

def model(vocabulary_size, length):
    tokens = keras.Input((length,), dtype="int32")
    x = keras.layers.Embedding(vocabulary_size, 8)(tokens)
    x = keras.layers.Conv1D(8, 3, padding="causal", activation="relu")(Noise()(x))
    x = keras.layers.Dropout(0.2)(x)
    return keras.Model(tokens, keras.layers.Dense(vocabulary_size)(x))

class Focal(keras.losses.Loss):
    """Keeps the mean of what it has seen, and draws random numbers."""

    def __init__(self, reduction="sum_over_batch_size", name="focal", dtype=None):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.mean = keras.Variable(1.0, trainable=False, name="mean")
        self.generator = keras.random.SeedGenerator(3)

    def call(self, labels, logits):
        places = ops.expand_dims(ops.cast(labels, "int32"), -1)
        loss = -ops.take_along_axis(ops.log_softmax(logits), places, axis=-1)[..., 0]
        self.mean.assign(0.9 * self.mean + 0.1 * ops.mean(loss))
        return loss / self.mean * keras.random.uniform((), 0.9, 1.1, seed=self.generator)

class Signs(keras.optimizers.Optimizer):
    """The sign of a mean of gradients."""

    def build(self, variables):
        super().build(variables)
        self.means = [self.add_variable_from_reference(v, "mean") for v in variables]

    def update_step(self, gradient, variable, learning_rate):
        mean = self.means[self._get_variable_index(variable)]
        self.assign(mean, ops.add(0.9 * mean, ops.multiply(gradient, 0.1)))
        self.assign_sub(variable, learning_rate * ops.sign(mean))

def optimizer(learning_rate):
    return Signs(learning_rate)

class Slower(keras.callbacks.Callback):
    """Lowers the learning rate by the number of steps that it has seen, which is its state."""

    def __init__(self):
        super().__init__()
        self.steps = 0
        self.seen = []

    def on_train_batch_end(self, batch, logs=None):
        self.steps += 1
        if self.steps % 4 == 0:
            self.seen.append(self.steps)
            self.model.get_layer(index=-1).bias.assign_add([1e-3 * len(self.seen)] * 27)
'''
TRAIN = [
    "model=own_killed:model", "loss=own_killed:Focal", "optimizer=own_killed:optimizer", "clip_norm=none",
    "weight_decay=0", "callbacks=own_killed:Slower", "lowercase=true",
    "epochs=4", "batch_size=64", "learning_rate=0.01", "steps_per_execution=1",
]  # fmt: skip


def last_state(run):
    return read_state(sorted((run / "state").glob("*.state"))[-1])


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no kill -9 here")
def test_own_model_loss_optimizer_and_callback_end_bit_for_bit_as_if_never_killed(tmp_path):
    (tmp_path / "own_killed.py").write_text(PARTS)
    (tmp_path / "recipe.py").write_text("from keras_vit.training import TextRecipe\nRECIPE = TextRecipe()\n")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}

    def start(run, *words):
        words = ["train", "recipe.py", *TRAIN, "--run-dir", run, *words]
        return subprocess.Popen([sys.executable, "-m", "keras_vit", *words], cwd=tmp_path, env=environment)

    assert start("whole").wait() == 0
    process = start("run", "--checkpoint-every", "1")
    states = tmp_path / "run" / "state"
    while process.poll() is None:
        found = sorted(states.glob("*.state"))
        if found and read_state(found[-1])[1]["epoch"] == 1 and read_state(found[-1])[1]["step"] >= 3:
            break
        time.sleep(0.01)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    before = last_state(tmp_path / "run")[1]
    assert before["step"], "killed between epochs"
    assert start("run", "--resume").wait() == 0
    (arrays, document), (expected, other) = (last_state(tmp_path / run) for run in ("run", "whole"))
    assert document["callbacks"]["Slower"] == other["callbacks"]["Slower"]
    assert document["callbacks"]["Slower"]["seen"][-1] == document["callbacks"]["Slower"]["steps"] == 76
    assert document["global_seed"] == other["global_seed"]
    for array, value in zip(arrays, expected, strict=True):
        np.testing.assert_array_equal(array, value)
