"""Training on images that grow."""

import keras
import numpy as np
import pytest

from keras_vit import InputError
from keras_vit.models import cnn, vit, with_image_size
from keras_vit.training.callbacks.finite_check import NonFiniteError
from keras_vit.training.checkpoint.state_file import read_state
from keras_vit.training.fit import fit
from keras_vit.training.progressive_size import ProgressiveSize, image_sizes
from keras_vit.training.recipe import ImageRecipe, override
from keras_vit.training.shared_weights import training_model
from keras_vit.training.tasks import task_of

RECIPE = ImageRecipe(
    data="digits", variant="Pico/2", num_layers=1, hidden_dim=16, num_heads=2, mlp_dim=32, pooling="gap",
    epochs=2, batch_size=128, learning_rate=3e-3, dropout_rate=0.1, progressive_size=4,
    steps_per_execution=1, subset=700,
)  # fmt: skip


def array(x):
    return keras.ops.convert_to_numpy(x)


def test_sizes_grow_in_whole_patches_to_that_of_the_model():
    assert image_sizes(vit("Micro/8", image_size=64), 32) == [(32, 32), (40, 40), (56, 56), (64, 64)]
    assert image_sizes(vit("Pico/2", image_size=(8, 16)), 4) == [(4, 8), (6, 10), (6, 14), (8, 16)]
    assert image_sizes(vit("Pico/4", image_size=8), 1) == [(4, 4), (8, 8)]


def test_each_stage_computes_what_the_model_of_its_size_does():
    model = vit("Pico/2", image_size=8, num_layers=1, num_classes=3)
    images = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3)).astype("float32")
    training = training_model(ProgressiveSize(model, 4, num_steps=6))
    for size in (4, 4, 6, 6, 8, 8, 8):  # more steps than planned stay at the full size
        small = keras.ops.image.resize(images, (size, size), "bilinear", antialias=True)
        small = images if size == 8 else small
        expected = array(with_image_size(model, size)(small))
        np.testing.assert_allclose(array(training(images, training=True)), expected, atol=1e-5)
        np.testing.assert_array_equal(array(training(images)), array(model(images)))


class Killed(BaseException):
    pass


class KillAfter(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if batch == 3:  # of 5; the state of 2 steps is saved
            raise Killed


@pytest.mark.slow
def test_a_killed_run_ends_bit_for_bit_as_if_never_stopped(tmp_path):
    data = task_of(RECIPE).load_data()
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    fit(RECIPE, whole, data=data)
    with pytest.raises(Killed):
        fit(RECIPE, killed, data=data, callbacks=[KillAfter()], checkpoint_every="2")
    fit(RECIPE, killed, data=data, resume=True)
    arrays, expected = (read_state(sorted((run / "state").glob("*.state"))[-1])[0] for run in (killed, whole))
    assert len(arrays) == len(expected) > 30
    for one, other in zip(arrays, expected, strict=True):
        np.testing.assert_array_equal(one, other)
    assert keras.saving.load_model(killed / "model.keras").input_shape == (None, 8, 8, 1)


@pytest.mark.slow
def test_a_training_that_diverges_ends_in_one_line(tmp_path):
    recipe = RECIPE.replace(learning_rate=1e6, optimizer="sgd", clip_norm=None, weight_decay=1e6)
    with pytest.raises(NonFiniteError, match="Training stopped in epoch 1") as caught:
        fit(recipe, tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("model", "first", "message"),
    [
        (vit("Pico/2", image_size=8), 8, "below the images' 8 pixels by at least a patch .2., received 8"),
        (vit("Pico/8", image_size=8), 4, "received 4"),
        (cnn(image_size=8, num_classes=2), 4, "'cnn' takes 8 x 8 alone. Set progressive_size=none"),
    ],
)
def test_a_model_without_smaller_images_is_refused(model, first, message):
    with pytest.raises(InputError, match=message) as caught:
        image_sizes(model, first)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["flexible_patches=2,4"], "flexible_patches or progressive_size, received both"),
        (["normalization=patch_whitening"], "progressive_size needs .* normalization=patch_whitening comes"),
        (["pretrained=a", "tuning=gradual"], "progressive_size needs tuning=full"),
        (["distill=a"], "progressive_size trains without a teacher: set distill=none"),
        (["model=resnet", "variant=none"], "model=resnet has no progressive_size"),
    ],
)
def test_a_recipe_that_cannot_have_several_sizes_is_refused(changes, message):
    with pytest.raises(InputError, match=message):
        override(ImageRecipe(), ["progressive_size=4", *changes])
