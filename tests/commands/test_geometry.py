"""Each form of a model prepares a photograph in the same way."""

import dataclasses
import io
import json
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_vit.__main__ import main
from keras_vit.commands import data_option
from keras_vit.export import load_predictor
from keras_vit.io.preprocessing import GEOMETRIES, Preprocessing
from keras_vit.training import ImageRecipe, train

SAVEDMODEL = ["--variant", "savedmodel"]


def photo(seed):
    """A wide photograph, of which the geometry decides what is seen; small enough to be decoded whole."""
    colors = np.random.default_rng(seed).integers(0, 256, (4, 9, 3))
    return np.kron(colors, np.ones((6, 6, 1))).astype("uint8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Photographs, and a run whose images are letterboxed, with its files."""
    folder = tmp_path_factory.mktemp("photos")
    for name, first in (("a", 0), ("b", 100)):
        (folder / "images" / name).mkdir(parents=True)
        for number in range(20):
            Image.fromarray(photo(first + number)).save(folder / "images" / name / f"{number}.png")
    recipe = ImageRecipe(
        data=f"folder:{folder / 'images'}", model="linear", image_size=8, geometry="letterbox", epochs=1,
        batch_size=8, learning_rate=0.1,
    )  # fmt: skip
    train(recipe, folder / "run")
    assert main(["export", str(folder / "run"), "--variant", "fp32", *SAVEDMODEL, "--max-drop", "100"]) == 0
    return folder


def predicted(model, file, tmp_path, *options):
    assert main(["predict", str(model), str(file), "--json", str(tmp_path / "out.json"), *options]) == 0
    (row,) = json.loads((tmp_path / "out.json").read_text())
    (tmp_path / "out.json").unlink()
    (values,) = (value for name, value in row.items() if name != "file")
    return np.array(values)


FORMS = ("run", "run/model.keras", "run/export/saved_model", "run/export/model_fp32.tflite")


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_run_prepares_a_photo_as_its_training_did(folder, form, tmp_path):
    file = folder / "images" / "a" / "0.png"
    predictor = load_predictor(folder / form)
    assert predictor.preprocessing.geometry == "letterbox"
    expected = predictor.probabilities(Preprocessing.of("letterbox", 8)(photo(0))[None])[0]
    for options in ((), ("--geometry", "letterbox")):
        found = predicted(folder / form, file, tmp_path, *options)
        np.testing.assert_allclose(found, expected, atol=1e-6)
    stretched = predictor.probabilities(Preprocessing.of("stretch", 8)(photo(0))[None])[0]
    assert np.abs(stretched - expected).max() > 1e-3


@pytest.mark.parametrize("form", FORMS)
def test_another_geometry_than_the_models_own_is_refused(folder, form, capsys):
    words = [str(folder / form), "--geometry", "stretch"]
    assert main(["predict", *words, str(folder / "images" / "a" / "0.png")]) == 2
    assert "takes images with geometry letterbox, received --geometry stretch" in capsys.readouterr().err
    data = ["--data", f"folder:{folder / 'images'}"]
    assert main(["evaluate", *words, *data]) == 2
    assert main(["evaluate", str(folder / form), *data]) == 0
    assert "resized to fit into 8 x 8" in capsys.readouterr().out


def test_the_saved_model_prepares_encoded_photos_and_the_files_say_how(folder):
    served = tf.saved_model.load(str(folder / "run/export/saved_model")).signatures
    buffer = io.BytesIO()
    Image.fromarray(photo(0)).save(buffer, "PNG")
    through = served["serve_encoded"](encoded=tf.constant([buffer.getvalue()]))["probabilities"].numpy()
    image = Preprocessing.of("letterbox", 8)(photo(0))
    direct = served["serving_default"](images=tf.constant(image[None]))["probabilities"].numpy()
    np.testing.assert_allclose(through, direct, atol=0.02)  # one of 255 levels in some pixels
    record = json.loads((folder / "run/export/export.json").read_text())
    assert record["model"]["preprocessing"]["crop_mode"] == "border"
    content = (folder / "run/export/model_fp32.tflite").read_bytes()
    assert (
        content.count(b"Of a photo: the whole image, resized to fit into 8 x 8 (bilinear), the rest grey")
        == 1
    )
    assert b"Images: the whole image, resized to fit into 8 x 8" in content  # of the training


def test_a_strangers_model_is_given_stretched_photos_unless_told_otherwise(folder, tmp_path, capsys):
    image = keras.Input((8, 8, 3), name="image")
    keras.Model(image, keras.layers.Dense(2)(keras.layers.Flatten()(image))).save(tmp_path / "own.keras")
    file = folder / "images" / "b" / "3.png"
    predictor = load_predictor(tmp_path / "own.keras", outputs="logits")
    for options, geometry in (((), "stretch"), (("--geometry", "center_crop"), "center_crop")):
        found = predicted(tmp_path / "own.keras", file, tmp_path, "--outputs", "logits", *options)
        prepared = Preprocessing.of(geometry, 8)(photo(103))
        np.testing.assert_allclose(found, predictor.probabilities(prepared[None])[0], atol=1e-6)
        told = "the whole image, stretched to 8 x 8 (bilinear); there is no preprocessing.json"
        assert (told in capsys.readouterr().err) == (not options)
    words = ["export", str(tmp_path / "own.keras"), "--data", f"folder:{folder / 'images'}", *SAVEDMODEL]
    assert main([*words, "--task", "classification", "--geometry", "center_crop", "--max-drop", "100"]) == 0
    assert "taken: the test split; images the centre square, resized to 8 x 8" in capsys.readouterr().out
    assert load_predictor(tmp_path / "own_export" / "saved_model").preprocessing.geometry == "center_crop"


def test_a_geometry_beside_a_model_of_any_origin_is_obeyed(folder, tmp_path):
    shutil.copy(folder / "run" / "model.keras", tmp_path / "own.keras")
    known = dataclasses.asdict(Preprocessing.of("center_crop", 8))
    (tmp_path / "preprocessing.json").write_text(json.dumps(known))
    file = folder / "images" / "a" / "1.png"
    predictor = load_predictor(tmp_path / "own.keras", outputs="logits")
    expected = predictor.probabilities(Preprocessing.of("center_crop", 8)(photo(1))[None])[0]
    found = predicted(tmp_path / "own.keras", file, tmp_path, "--outputs", "logits")
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_the_option_has_all_geometries():
    assert tuple(GEOMETRIES) == data_option.GEOMETRIES


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["evaluate", "run", "--geometry", "stretch"], "--geometry is for --data"),
        (["evaluate", "run", "--no-labels"], "--no-labels is for --data"),
        (["doctor", "run", "--skip-broken"], "--skip-broken is for --data"),
        (["export", "run", "--geometry", "stretch"], "--geometry is for models that are no run"),
        (["export", "run", "--label-column", "kind"], "--label-column is for models that are no run"),
        (["predict", "run", "items.npz", "--geometry", "stretch"], "--geometry is for image files"),
    ],
)
def test_the_option_is_refused_where_it_would_have_no_effect(folder, words, message, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    np.savez("items.npz", images=np.zeros((2, 8, 8, 3), "uint8"))
    assert main(words) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
