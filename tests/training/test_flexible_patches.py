"""One training for several patch sizes."""

import collections

import keras
import numpy as np
import pytest

from keras_vit import InputError
from keras_vit.__main__ import main
from keras_vit.models import vit, with_patch_size
from keras_vit.training.checkpoint.state_file import read_state
from keras_vit.training.fit import fit
from keras_vit.training.flexible_patches import FlexiblePatches
from keras_vit.training.recipe import ImageRecipe, override
from keras_vit.training.shared_weights import training_model
from keras_vit.training.tasks import task_of

SIZES = (2, 4, 8)
IMAGES = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3)).astype("float32")
RECIPE = ImageRecipe(
    data="digits", variant="Pico/4", num_layers=1, hidden_dim=16, num_heads=2, mlp_dim=32, pooling="gap",
    epochs=2, batch_size=128, learning_rate=3e-3, dropout_rate=0.1, flexible_patches=(2, 4),
    steps_per_execution=1, subset=700,
)  # fmt: skip


def array(x):
    return keras.ops.convert_to_numpy(x)


def small(**options):
    model = vit("Pico/4", image_size=8, num_layers=1, num_classes=3, seed=0, **options)
    return model, training_model(FlexiblePatches(model, SIZES, seed=5))


def test_each_step_computes_what_the_model_of_one_size_does():
    model, flexible = small()
    expected = {size: array(with_patch_size(model, size)(IMAGES)) for size in SIZES}
    drawn = collections.Counter()
    for _ in range(30):
        logits = array(flexible(IMAGES, training=True))
        near = [size for size, value in expected.items() if np.allclose(logits, value, atol=1e-5)]
        assert len(near) == 1
        drawn.update(near)
    assert set(drawn) == set(SIZES) and min(drawn.values()) > 3
    np.testing.assert_array_equal(array(flexible(IMAGES)), array(model(IMAGES)))


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_all_sizes_train_the_same_weights_and_no_others(dtype):
    model, flexible = small(dtype=dtype)
    assert [w.path for w in flexible.trainable_weights] == [w.path for w in model.trainable_weights]
    flexible.compile(keras.optimizers.SGD(1.0), keras.losses.CategoricalCrossentropy(from_logits=True))
    for _ in range(4):
        before = [array(weight) for weight in model.trainable_weights]
        flexible.train_on_batch(IMAGES, np.eye(3, dtype="float32")[[0, 1, 2, 0]])
        for weight, old in zip(model.trainable_weights, before, strict=True):
            assert not np.array_equal(array(weight), old), weight.path
    assert array(model(IMAGES)).shape == (4, 3)


def test_dropout_draws_anew_in_each_step():
    model, flexible = small(dropout_rate=0.5)
    seeds = [array(variable) for variable in model.non_trainable_variables]
    outputs = {array(flexible(IMAGES, training=True)).tobytes() for _ in range(8)}
    assert len(outputs) == 8
    changed = [not np.array_equal(a, b) for a, b in zip(seeds, model.non_trainable_variables, strict=True)]
    assert sum(changed) == 3  # of the embedding, the attention and the MLP; no path is dropped


class Killed(BaseException):
    pass


class KillAfter(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if batch == 3:  # of 5; the state of 2 steps is saved
            raise Killed


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("whole")
    fit(RECIPE, path)
    return path


@pytest.mark.slow
def test_a_killed_run_ends_bit_for_bit_as_if_never_stopped(whole, tmp_path):
    data = task_of(RECIPE).load_data()
    with pytest.raises(Killed):
        fit(RECIPE, tmp_path, data=data, callbacks=[KillAfter()], checkpoint_every="2")
    fit(RECIPE, tmp_path, data=data, resume=True)
    arrays, expected = (read_state(sorted((p / "state").glob("*.state"))[-1])[0] for p in (tmp_path, whole))
    assert len(arrays) == len(expected) > 30
    for one, other in zip(arrays, expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_a_run_is_exported_at_each_size_and_verified(whole, capsys):
    assert keras.saving.load_model(whole / "model.keras").get_layer("patch_embedding").patch_size == (4, 4)
    for size in (2, 8):
        assert main(["export", str(whole), "--patch-size", str(size), "--variant", "fp32"]) == 0
        assert capsys.readouterr().out.count("verified") == 1
        assert (whole / f"export_patch{size}" / "model_fp32.tflite").is_file()
    assert main(["export", str(whole), "--patch-size", "3"]) == 2
    assert "The patch must divide the image" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["flexible_patches=4"], "at least two flexible_patches, all different, received 4"),
        (["flexible_patches=4,4"], "received 4,4"),
        (["flexible_patches=2,x"], "flexible_patches to be int, received 'x'"),
        (["flexible_patches=2,0"], "flexible_patches.* from 1 to 8,192, received 0"),
        (["flexible_patches=2,4", "normalization=zca"], "normalization=zca comes before them"),
        (["flexible_patches=2,4", "pretrained=a", "tuning=lora"], "needs tuning=full and layer_decay=1"),
        (["flexible_patches=2,4", "model=cnn", "variant=none"], "model=cnn has no flexible_patches"),
    ],
)
def test_a_recipe_that_cannot_have_several_sizes_is_refused(changes, message):
    with pytest.raises(InputError, match=message):
        override(ImageRecipe(), changes)


def test_patches_that_do_not_fit_are_refused_before_anything_is_written(tmp_path):
    for changes, message in (
        ({"flexible_patches": (3, 4)}, "patch must divide the image"),
        ({"stem": "conv"}, "has the stem 'conv'"),
    ):
        with pytest.raises(InputError, match=message):
            fit(RECIPE.replace(**changes), tmp_path / "run")
        assert not list((tmp_path / "run").glob("*.json"))
