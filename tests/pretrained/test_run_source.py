"""A model trained here is a source of weights like any other."""

import dataclasses
import json

import keras
import numpy as np
import pytest

from keras_vit import models, pretrained
from keras_vit.errors import InputError

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3)).astype("uint8")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    model = models.vit(
        image_size=16, patch_size=4, hidden_dim=16, num_layers=2, num_heads=2, mlp_dim=24, num_classes=3,
        stem="conv", pooling="gap", pixel_mean=(0.4, 0.5, 0.6),
    )  # fmt: skip
    rng = np.random.default_rng(1)
    for weight in model.weights:
        weight.assign(rng.normal(size=weight.shape))
    model.save(folder / "model.keras")
    return folder


@pytest.mark.parametrize("name", ["", "model.keras"])
def test_a_run_and_its_file_load_the_trained_model(run, name):
    model = pretrained.load(run / name)
    trained = keras.saving.load_model(run / "model.keras")
    np.testing.assert_array_equal(np.asarray(model(IMAGES)), np.asarray(trained(IMAGES)))
    assert model.preprocessing.crop_mode == "squash" and model.preprocessing.mean == (0.4, 0.5, 0.6)


def test_another_head_and_image_size_keep_the_rest(run):
    old = {w.path: np.asarray(w) for w in pretrained.load(run).weights}
    model = pretrained.load(run, num_classes=7, image_size=(32, 16), drop_path_rate=0.1)
    assert model.output_shape == (None, 7) and model.input_shape == (None, 32, 16, 3)
    changed = {
        w.path
        for w in model.weights
        if old[w.path].shape != tuple(w.shape) or (np.asarray(w) != old[w.path]).any()
    }
    assert changed == {"head/kernel", "head/bias", "position_embedding/embedding"}
    resized = models.with_image_size(pretrained.load(run), (32, 16))
    bare = pretrained.load(run, image_size=(32, 16))
    images = np.random.default_rng(0).integers(0, 256, (2, 32, 16, 3)).astype("uint8")
    np.testing.assert_allclose(np.asarray(bare(images)), np.asarray(resized(images)), rtol=1e-4, atol=1e-3)


def test_a_new_head_is_initialized_even_for_the_same_number_of_classes(run):
    kept, new = (
        np.asarray(pretrained.load(run, 3, new_head=is_new).get_layer("head").kernel)
        for is_new in (False, True)
    )
    assert (kept != new).all()


def test_saved_preprocessing_is_read_and_an_invalid_one_refused(run, tmp_path):
    (tmp_path / "model.keras").write_bytes((run / "model.keras").read_bytes())
    known = pretrained.Preprocessing(image_size=(16, 16), crop_ratio=0.9, interpolation="bicubic")
    saved = tmp_path / "preprocessing.json"
    saved.write_text(json.dumps(dataclasses.asdict(known)))
    assert pretrained.preprocessing(tmp_path, 32) == known.for_size(32)
    for bad in ("[]", "{}", json.dumps({**dataclasses.asdict(known), "crop_mode": "magic"})):
        saved.write_text(bad)
        with pytest.raises(InputError, match="preprocessing.json|crop mode"):
            pretrained.load(tmp_path)


def test_a_letterbox_on_grey_is_saved_for_no_library_that_has_none(tmp_path):
    tiny = {"image_size": 16, "patch_size": 8, "hidden_dim": 8, "num_layers": 1, "num_heads": 1, "mlp_dim": 8}
    model = models.vit(**tiny, num_classes=3, pixel_mean=(0.4, 0.5, 0.6))
    letterbox = model.preprocessing = pretrained.Preprocessing.of("letterbox", 16)
    for library, reason in (("timm", "pads with the mean"), ("huggingface", "has no letterbox")):
        with pytest.raises(InputError, match=reason):
            pretrained.save(model, tmp_path / library, format=library)
    assert not any(tmp_path.iterdir())
    model.preprocessing = dataclasses.replace(letterbox, fill=None)  # which timm has
    pretrained.save(model, tmp_path / "timm")
    again = pretrained.load(tmp_path / "timm").preprocessing
    assert (again.crop_mode, again.mean) == ("border", (0.4, 0.5, 0.6))


def test_a_model_of_another_kind_is_refused(tmp_path):
    models.linear(image_size=8, channels=3, num_classes=2).save(tmp_path / "model.keras")
    with pytest.raises(InputError, match="not a Vision Transformer"):
        pretrained.load(tmp_path)
    with pytest.raises(InputError, match="Expected a .keras model file"):
        pretrained.load(tmp_path / "absent.keras")
