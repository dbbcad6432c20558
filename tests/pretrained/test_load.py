"""Loading: new heads, image sizes, training and saving of the loaded model, every backend."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_vit import pretrained
from keras_vit.errors import InputError
from keras_vit.pretrained.resampling import resample

FIXTURES = Path(__file__).parent / "fixtures"
ROOT = Path(__file__).parent.parent.parent
IMAGES = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3)).astype("uint8")
LOGITS = """
import sys
import numpy as np
from keras import ops
from keras_vit import pretrained
model = pretrained.load(sys.argv[1], num_classes=5, drop_path_rate=0.1)
np.save(sys.argv[3], ops.convert_to_numpy(model(np.load(sys.argv[2]))))
"""


def test_a_new_head_is_initialized_and_the_other_weights_are_kept():
    whole = pretrained.load(FIXTURES / "timm_vit")
    model = pretrained.load(FIXTURES / "timm_vit", num_classes=7)
    assert model.output_shape == (None, 7)
    assert np.std(np.asarray(model.get_layer("head").kernel)) > 0
    for old, new in zip(whole.get_weights()[:-2], model.get_weights()[:-2], strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_model_without_a_head_returns_the_input_of_the_head():
    whole, bare = (pretrained.load(FIXTURES / "timm_deit3", num_classes=n) for n in (None, 0))
    head = whole.get_layer("head")
    np.testing.assert_allclose(np.asarray(head(bare(IMAGES))), np.asarray(whole(IMAGES)), rtol=1e-5)


@pytest.mark.parametrize("name", ["hf_siglip", "hf_clip_projection", "timm_siglip"])
def test_image_towers_get_a_head(name):
    model = pretrained.load(FIXTURES / name, num_classes=3)
    assert model.output_shape == (None, 3)


def test_a_head_for_weights_without_one_is_like_that_of_their_library():
    assert pretrained.load(FIXTURES / "timm_dinov2_registers", num_classes=3).get_layer("head").use_bias
    model = pretrained.load(FIXTURES / "hf_dinov2_registers", num_classes=3)
    assert model.get_layer("pooling").mode == "token_gap"


def test_a_new_head_of_both_tokens_is_initialized():
    model = pretrained.load(FIXTURES / "timm_deit_distilled", num_classes=3)
    assert model.output_shape == (None, 3) and np.isfinite(np.asarray(model(IMAGES))).all()


@pytest.mark.parametrize("name", ["timm_vit", "hf_vit", "google_augreg/weights.npz"])
def test_another_image_size_resamples_positions_and_keeps_the_rest(name):
    model = pretrained.load(FIXTURES / name, image_size=(24, 16))
    assert model.input_shape == (None, 24, 16, 3) and model.preprocessing.image_size == (24, 16)
    table = np.asarray(pretrained.load(FIXTURES / name).get_layer("position_embedding").embedding)
    new = np.asarray(model.get_layer("position_embedding").embedding)
    assert new.shape == (1 + 6 * 4, 16)
    np.testing.assert_array_equal(new[0], table[0])
    np.testing.assert_allclose(new[1:].mean(axis=0), table[1:].mean(axis=0), atol=0.1)


@pytest.mark.parametrize("kind", ["antialiased", "bicubic", "bilinear"])
def test_resampling_to_the_same_grid_changes_nothing(kind):
    table = np.random.default_rng(0).normal(size=(1 + 12, 5)).astype("float32")
    np.testing.assert_allclose(resample(table, (3, 4), (3, 4), kind), table, atol=1e-6)


def test_a_loaded_model_trains_and_is_saved_like_any_other(tmp_path):
    model = pretrained.load(FIXTURES / "timm_vit", dropout_rate=0.1, drop_path_rate=0.1, seed=1)
    before = [w.copy() for w in model.get_weights()]
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(IMAGES, np.array([0, 1]), verbose=0)
    assert all((old != new).any() for old, new in zip(before, model.get_weights(), strict=True))
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(np.asarray(again(IMAGES)), np.asarray(model(IMAGES)))


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="exports a TensorFlow SavedModel")
def test_a_loaded_model_is_exported(tmp_path):
    import tensorflow as tf

    model = pretrained.load(FIXTURES / "timm_vit")
    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint("serve", model.call, [tf.TensorSpec((None, 16, 16, 3), tf.float32)])
    archive.write_out(tmp_path / "saved", verbose=False)
    loaded = tf.saved_model.load(tmp_path / "saved")
    np.testing.assert_allclose(
        loaded.serve(IMAGES.astype("float32")), np.asarray(model(IMAGES)), rtol=1e-5, atol=1e-6
    )


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_other_backends_compute_the_same_logits(backend, tmp_path):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    images, out = tmp_path / "images.npy", tmp_path / "out.npy"
    np.save(images, IMAGES.astype("float32"))
    command = [sys.executable, "-c", LOGITS, FIXTURES / "timm_vit", images, out]
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    expected = np.asarray(pretrained.load(FIXTURES / "timm_vit")(IMAGES))
    np.testing.assert_allclose(np.load(out), expected, rtol=1e-4, atol=1e-5)


def test_features_are_outputs_of_blocks_and_the_input_of_the_head():
    model = pretrained.load(FIXTURES / "timm_vit")
    last, pooled = pretrained.features(model, [-1, "pooling"])(IMAGES)
    assert last.shape == (2, 17, 16) and pooled.shape == (2, 16)
    normed = np.asarray(model.get_layer("encoder").norm(last))
    np.testing.assert_allclose(np.asarray(pooled), normed[:, 0], rtol=1e-5, atol=1e-6)


def test_features_of_missing_layers_are_refused():
    model = pretrained.load(FIXTURES / "timm_vit")
    with pytest.raises(InputError, match="from -2 to 1"):
        pretrained.features(model, [2])
    with pytest.raises(InputError, match="layers to be list or tuple"):
        pretrained.features(model, 1)
    with pytest.raises(InputError, match="returns all tokens.*'pooling'"):
        pretrained.patch_features(model, "pooling")
    with pytest.raises(InputError, match="TransformerEncoder"):
        pretrained.features(keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]), [0])


@pytest.mark.parametrize("name", ["timm_vit", "timm_dinov2_registers", "hf_siglip", "hf_dinov3_plus"])
def test_the_features_of_patches_are_a_map(name):
    model = pretrained.load(FIXTURES / name, image_size=(24, 16))
    images = np.random.default_rng(0).integers(0, 256, (2, *model.input_shape[1:])).astype("uint8")
    patch = model.get_layer("patch_embedding").patch_size
    grid = tuple(side // p for side, p in zip(model.input_shape[1:3], patch, strict=True))
    maps = np.asarray(pretrained.patch_features(model)(images))
    tokens = np.asarray(keras.tree.flatten(pretrained.features(model, ["encoder"])(images))[0])
    assert maps.shape[:3] == (2, *grid)
    np.testing.assert_allclose(maps[1, 1, 0], tokens[1, -grid[0] * grid[1] + grid[1]], rtol=1e-5)


def test_the_features_of_a_block_can_be_a_map():
    model = pretrained.load(FIXTURES / "timm_vit")
    assert pretrained.patch_features(model, 0)(IMAGES).shape == (2, 4, 4, 16)
