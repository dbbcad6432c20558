"""predict and evaluate take any model: its outputs as they are, its score by the task that is declared."""

import csv
import json

import keras
import numpy as np
import pytest
from PIL import Image

import keras_vit
from keras_vit.__main__ import main
from keras_vit.export import export_model

layers = keras.layers
FACTORY = """
import keras


def labels():
    image = keras.Input((8, 8, 3), name="image")
    return keras.Model(image, keras.layers.Dense(2, "sigmoid", name="tags")(keras.layers.Flatten()(image)))


def towers():
    one, two = keras.Input((4,), name="one"), keras.Input((3,), name="two")
    x = keras.layers.Concatenate()([one, two])
    return keras.Model([one, two], keras.layers.Dense(2, name="price")(x))


def largest_error(labels, outputs):
    return abs(labels - outputs).max()


class Own(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(2)
        self.build((None, 8, 8, 3))

    def build(self, shape):
        self.dense.build((None, 3))

    def call(self, x):
        return self.dense(keras.ops.mean(x, axis=(1, 2)))
"""


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "factory.py").write_text(FACTORY)
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), "uint8")
    Image.fromarray(pixels).save("photo.png")
    return tmp_path


def test_outputs_that_are_no_classes_are_shown_as_they_are(own_folder, capsys):
    for name in ("factory.py:labels", "factory.py:Own"):
        assert main(["predict", name, "photo.png", "--json", "out.json"]) == 0
        (row,) = json.loads((own_folder / "out.json").read_text())
        values = row.get("tags") or row["output_0"]
        assert row["file"] == "photo.png" and len(values) == 2
        assert f"{values[0]:.4g} {values[1]:.4g}" in capsys.readouterr().out
        (own_folder / "out.json").unlink()


def test_the_scores_of_an_exported_file_have_the_names_of_its_labels(own_folder, capsys):
    from keras_vit.importing import import_named

    model = import_named("factory.py:labels", "a model")()
    images = np.random.default_rng(0).integers(0, 256, (8, 8, 8, 3), "uint8")
    names = ["indoors", "people"]
    export_model(model, "out", inputs=images, task="labels", label_names=names, variants="fp32")
    assert main(["predict", "out/model_fp32.tflite", "photo.png", "--csv", "out.csv"]) == 0
    shown = capsys.readouterr().out
    with open("out.csv", newline="") as file:
        (row,) = csv.DictReader(file)
    held = [name for name in names if float(row[name]) >= 0.5]
    assert set(row["labels"].split(";")) == set(held or [""]) and all(name in shown for name in held)
    assert held or "none of the labels" in shown


def test_other_inputs_come_from_arrays_and_a_photograph_is_refused(own_folder, capsys):
    arrays = {"one": np.ones((3, 4), "float32"), "two": np.ones((3, 3), "float32")}
    np.savez("items.npz", **arrays)
    assert main(["predict", "factory.py:towers", "items.npz", "--json", "out.json"]) == 0
    assert "item 2" in capsys.readouterr().out
    assert len(json.loads((own_folder / "out.json").read_text())) == 3
    assert main(["predict", "factory.py:towers", "photo.png"]) == 2
    error = capsys.readouterr().err
    assert "takes one (4,), two (3,)" in error and error.count("\n") == 1
    np.savez("less.npz", one=arrays["one"])
    assert main(["predict", "factory.py:towers", "less.npz"]) == 2
    assert "Expected inputs named one, two" in capsys.readouterr().err


def test_public_weights_predict_with_their_names_and_preparation(own_folder, capsys):
    tiny = {"image_size": 16, "patch_size": 8, "hidden_dim": 8, "num_layers": 1, "num_heads": 1, "mlp_dim": 8}
    model = keras_vit.models.vit(**tiny, num_classes=3)
    keras_vit.pretrained.save(model, "weights", labels=["cat", "dog", "elk"])
    assert main(["predict", "weights", "photo.png", "--top", "3"]) == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    assert {word for line in lines for word in line.split()} >= {"cat", "dog", "elk"}
    assert sum(float(line.split()[-1]) for line in lines) == pytest.approx(1, abs=2e-4)


def test_a_model_is_scored_by_the_task_that_is_declared(own_folder, capsys):
    image = keras.Input((8, 8, 1), name="image")
    keras.Model(image, layers.Dense(10, "softmax", name="digit")(layers.Flatten()(image))).save(
        "digits.keras"
    )
    words = ["evaluate", "digits.keras", "--data", "digits"]
    assert main([*words, "--task", "classification", "--json", "out.json"]) == 0
    shown = capsys.readouterr().out
    assert "digit: accuracy 0." in shown and "accuracy on more such items: 0." in shown
    row = json.loads((own_folder / "out.json").read_text())["outputs"]["digit"]
    assert row["metric"] == "accuracy" and 0 <= row["value"] <= 1
    assert row["accuracy_interval"][0] < row["value"] < row["accuracy_interval"][1]
    rng = np.random.default_rng(0)
    prices = rng.random((20, 2))
    np.savez("items.npz", one=rng.random((20, 4)), two=rng.random((20, 3)), labels=prices)
    towers = ["evaluate", "factory.py:towers", "--data", "npz:items.npz"]
    assert main([*towers, "--task", "regression"]) == 0
    assert "price: explained variance" in capsys.readouterr().out
    assert main([*towers, "--metric", "factory.py:largest_error", "--json", "own.json"]) == 0
    assert "largest_error" in capsys.readouterr().out
    assert json.loads((own_folder / "own.json").read_text())["value"] > 0
    for arguments, message in (
        ([*towers, "--metric", "factory.py:towers"], "The metric towers cannot be computed: TypeError"),
        (["evaluate", "runs/x", "--metric", "factory.py:towers"], "--metric is for --data"),
        (["evaluate", "digits.keras"], "Expected --data for digits.keras"),
        ([*towers, "--no-labels"], "has no labels"),
        (towers, "Expected task="),
        ([*towers, "--task", "classification"], "Expected one class for each place"),
    ):
        assert main(arguments) == 2
        error = capsys.readouterr().err
        assert message in error and error.count("\n") == 1
