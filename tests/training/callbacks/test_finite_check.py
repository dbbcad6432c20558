import importlib.util
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from keras_vit import ConditionError
from keras_vit.training.callbacks import FiniteCheck

STEPS = 6


def small_model(activation=None):
    images = keras.Input((3,), name="images")
    x = keras.layers.Dense(4, activation=activation, name="first")(images)
    model = keras.Model(images, keras.layers.Dense(2, name="last")(x))
    model.compile(keras.optimizers.SGD(0.01, momentum=0.9), "mse")
    return model


def train(model, batches, path=None):
    check = FiniteCheck(lambda epoch, step: batches[step:], path)
    x, y, *weights = (np.concatenate(arrays) for arrays in zip(*batches, strict=True))
    options = {"sample_weight": weights[0]} if weights else {}
    model.fit(x, y, **options, batch_size=4, shuffle=False, verbose=0, callbacks=[check])


def good_batches():
    random = np.random.default_rng(0)
    return [(random.normal(size=(4, 3)).astype("float32"), np.ones((4, 2))) for _ in range(STEPS)]


@pytest.mark.parametrize("activation", [None, "relu"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_bad_input_is_found_with_its_step_and_row_and_its_batch_is_saved(tmp_path, activation, value):
    batches = good_batches()
    batches[3][0][2, 1] = value
    path = tmp_path / "nonfinite_batch.npz"
    with pytest.raises(
        ConditionError, match=r"epoch 1, step 4: the batch's images .* row 2.*nonfinite_batch"
    ):
        train(small_model(activation), batches, path)
    with np.load(path) as saved:
        np.testing.assert_array_equal(saved["images"], batches[3][0])
        assert saved["labels"].shape == (4, 2) and (saved["epoch"], saved["step"]) == (1, 4)


def test_weights_of_labels_belong_to_the_batch(tmp_path):
    batches, path = [(*batch, np.ones(4, "float32")) for batch in good_batches()], tmp_path / "batch.npz"
    batches[1][2][:] = 3e38  # the sum of the losses is no number any more
    with pytest.raises(ConditionError, match="step 2: the loss is inf, though all layers"):
        train(small_model(), batches, path)
    with np.load(path) as saved:
        np.testing.assert_array_equal(saved["weights"], batches[1][2])


def test_the_first_layer_that_overflows_is_named(tmp_path):
    model, batches = small_model("relu"), good_batches()
    model.get_layer("first").kernel.assign(np.ones((3, 4)))
    batches[2][0][:] = 3e38
    with pytest.raises(ConditionError, match=r"step 3: .*layer first"):
        train(model, batches, tmp_path / "batch.npz")


def test_a_gradient_that_is_not_finite_is_named(tmp_path):
    model, batches = small_model(), good_batches()
    model.compile(keras.optimizers.SGD(0.01), loss=lambda y, p: keras.ops.sqrt(keras.ops.abs(p - p)))
    with pytest.raises(ConditionError, match="step 1: the gradient of weight last/bias"):
        train(model, batches, tmp_path / "batch.npz")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_the_weight_is_reported_where_no_batch_is_the_cause(value):
    model = small_model("relu")

    class Spoil(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.get_layer("first").bias.assign(np.full(4, value))

    with pytest.raises(ConditionError, match="epoch 1, step"):
        model.fit(
            np.ones((8, 3)), np.ones((8, 2)), batch_size=4, verbose=0, callbacks=[FiniteCheck(), Spoil()]
        )


def test_good_numbers_pass():
    train(small_model(), good_batches())


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_all_of_this_is_so_on_other_backends(backend):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-m", "pytest", __file__], env=environment, check=True, timeout=600)
