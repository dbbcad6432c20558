"""Any model is exported by its file, its builder or its source, with data that the command line names."""

import argparse
import json

import keras
import numpy as np
import pytest
from PIL import Image

import keras_vit
from keras_vit.__main__ import main, make_parser
from keras_vit.commands.found_model import FoundModel
from keras_vit.commands.items import read_items
from keras_vit.errors import DataWarning, InputError
from keras_vit.export import load_predictor
from keras_vit.pretrained.hub import WEIGHTS

layers = keras.layers
FP32 = ("--variant", "fp32")


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def flat(classes, activation=None, size=(8, 8, 1)):
    return keras.Sequential(
        [keras.Input(size, name="image"), layers.Flatten(), layers.Dense(classes, activation)]
    )


def record(folder):
    return json.loads((folder / "export.json").read_text())


def test_a_file_is_exported_beside_itself_with_the_classes_of_the_data(own_folder, capsys):
    flat(10, "softmax").save("digits.keras")
    assert main(["export", "digits.keras", "--data", "digits", "--task", "classification", *FP32]) == 0
    shown = capsys.readouterr().out
    assert "(0: 144, 1: 148, 2: 143, " in shown and "stretched to 8 x 8" in shown
    out = own_folder / "digits_export"
    assert f"files and export.json in {out.name}" in shown
    (row,) = record(out)["variants"]
    assert row["metric"] == "accuracy" and row["score"] == row["reference_score"]
    assert record(out)["model"]["preparation"] == {"pixels": "0:255"}
    assert (out / "labels.txt").read_text().split() == [str(number) for number in range(10)]
    flat(10, "softmax").save("digits.keras")
    words = ["export", "digits.keras", "--data", "digits", "--task", "classification", *FP32]
    assert main(words) == 2
    assert "files of another model" in capsys.readouterr().err
    assert record(out)["variants"] == [row] and main([*words, "--replace"]) == 0


def test_what_the_outputs_mean_is_asked_for_with_the_tasks_that_fit(own_folder, capsys):
    flat(10).save("digits.keras")
    assert main(["export", "digits.keras", "--data", "digits", *FP32]) == 2
    error = capsys.readouterr().err
    assert "--task classification|labels|regression|embedding" in error and error.count("\n") == 1
    assert not (own_folder / "digits_export").exists()
    (own_folder / "winner").mkdir()
    (own_folder / "digits.keras").rename(own_folder / "winner" / "model.keras")
    assert main(["export", "winner", "--data", "digits", "--no-labels", "--pixels", "0:1", *FP32]) == 0
    assert "taken: task none, activation none" in capsys.readouterr().out
    assert record(own_folder / "winner" / "export")["model"]["inputs"][0]["high"] == 1


@pytest.mark.slow
def test_a_builder_of_two_inputs_takes_arrays_by_name(own_folder, capsys):
    (own_folder / "towers.py").write_text(
        "import keras\n\n\ndef build():\n"
        "    one, two = keras.Input((4,), name='one'), keras.Input((3,), name='two')\n"
        "    x = keras.layers.Concatenate()([one, two])\n"
        "    return keras.Model([one, two], keras.layers.Dense(2, name='price')(x))\n\n\n"
        "def error(labels, prices):\n    return float(abs(labels - prices).mean())\n"
    )
    rng = np.random.default_rng(0)
    arrays = {"one": rng.random((20, 4), "float32"), "two": rng.random((20, 3), "float32")}
    np.savez("items.npz", **arrays, labels=rng.random((20, 2)))
    words = ["export", "towers.py:build", "--data", "npz:items.npz", *FP32]
    assert main([*words, "--task", "regression"]) == 0
    assert "float32 (20, 4), values 0" in capsys.readouterr().out
    out = own_folder / "build_export"
    predictor = load_predictor(out / "model_fp32.tflite")
    assert predictor.outputs(arrays)["price"].shape == (20, 2)
    assert record(out)["variants"][0]["metric"] == "explained variance"
    own = [*words, "--metric", "towers.py:error", "--better", "lower", "--max-drop", "1", "--out", "own"]
    assert main(own) == 0
    assert record(own_folder / "own")["variants"][0]["metric"] == "error"


@pytest.mark.slow
def test_int8_inputs_mean_the_one_variant_that_can_have_them(own_folder, capsys):
    flat(10, "softmax").save("digits.keras")
    words = ["export", "digits.keras", "--data", "digits", "--task", "classification", "--input", "int8"]
    assert main([*words, "--max-drop", "100"]) == 0
    described = record(own_folder / "digits_export")
    assert [row["variant"] for row in described["variants"]] == ["full_int8"]
    assert described["model"]["outputs"][0]["dtype"] == "int8"
    capsys.readouterr()
    assert main([*words, *FP32]) == 2
    assert "Expected full_int8 with an int8 input" in capsys.readouterr().err


@pytest.mark.slow
def test_data_are_python_objects_too_of_a_subclass(own_folder):
    (own_folder / "mine.py").write_text(
        "import keras\nimport numpy as np\n\n\nclass Mine(keras.Model):\n"
        "    def __init__(self):\n        super().__init__()\n        self.dense = keras.layers.Dense(3)\n\n"
        "    def call(self, x):\n        return keras.ops.sigmoid(self.dense(x))\n\n\n"
        "def data():\n    x = np.random.default_rng(0).random((16, 5), 'float32')\n"
        "    return x, (x[:, :3] > 0.5).astype('int32')\n"
    )
    assert main(["export", "mine.py:Mine", "--data", "mine.py:data", "--task", "labels", *FP32]) == 0
    assert record(own_folder / "Mine_export")["variants"][0]["metric"] == "F1"


def test_public_weights_bring_task_preprocessing_and_names(own_folder, capsys):
    tiny = {"image_size": 16, "patch_size": 8, "hidden_dim": 8, "num_layers": 1, "num_heads": 1, "mlp_dim": 8}
    names = [f"class {number}" for number in range(10)]
    keras_vit.pretrained.save(keras_vit.models.vit(**tiny, num_classes=10), "weights", labels=names)
    assert (own_folder / "weights" / WEIGHTS[0]).exists()
    assert main(["export", "weights", "--data", "digits", *FP32]) == 2
    assert "classes that weights has not: 0, 1, 2, 3, 4" in capsys.readouterr().err
    assert main(["export", "weights", "--data", "digits", "--no-labels", *FP32]) == 0
    shown = capsys.readouterr().out
    assert "taken: task classification, activation softmax" in shown and "as the weights expect" in shown
    written = record(own_folder / "weights_export")["model"]
    assert written["preprocessing"]["image_size"] == [16, 16]
    assert written["preprocessing"]["crop_mode"] == "squash" and written["preparation"] == {"pixels": "0:255"}
    assert written["label_names"] == names


def test_a_folder_of_images_without_classes_is_data_without_labels(own_folder, capsys):
    (own_folder / "photos").mkdir()
    for number in range(3):
        Image.new("RGB", (20, 10), (0, 0, 80 * number)).save(own_folder / "photos" / f"{number}.png")
    unset = dict.fromkeys(("geometry", "data_dir", "label_column", "label_kind"))
    options = argparse.Namespace(no_labels=True, pixels="0:1", skip_broken=False, **unset)
    items = read_items("folder:photos", FoundModel(flat(10), "flat", own_folder), options)
    assert items.labels is None and items.inputs.shape == (3, *flat(10).input_shape[1:])
    np.testing.assert_allclose(items.inputs.mean(axis=(1, 2, 3)), [0, 9 / 255, 18 / 255], atol=1e-6)
    assert "taken: 3 images, " in capsys.readouterr().out
    (own_folder / "photos" / "broken.png").write_bytes(b"no image")
    with pytest.raises(InputError, match="broken.png.*--skip-broken"):
        read_items("folder:photos", FoundModel(flat(10), "flat", own_folder), options)
    options.skip_broken = True
    with pytest.warns(DataWarning, match="broken.png"):
        found = read_items("folder:photos", FoundModel(flat(10), "flat", own_folder), options)
    np.testing.assert_array_equal(found.inputs, items.inputs)


def test_broken_photographs_are_left_out_of_class_folders_too(own_folder, capsys):
    for name, grey in (("a", 40), ("b", 200)):
        (own_folder / "photos" / name).mkdir(parents=True)
        for number in range(12):
            image = Image.new("RGB", (20, 10), (grey, 5 * number, 0))
            image.save(own_folder / "photos" / name / f"{number}.png")
    (own_folder / "photos" / "a" / "3.png").write_bytes(b"no image")
    flat(2).save("flat.keras")
    words = ["export", "flat.keras", "--data", "folder:photos", "--task", "classification", *FP32]
    assert main(words) == 2
    assert "a/3.png" in capsys.readouterr().err
    assert main([*words, "--skip-broken"]) == 0
    assert "They are left out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nothing"], "Expected a run folder"),
        (["no_module:build"], "No module no_module here"),
        (["os.path:nothing"], "defines no nothing"),
        (["os:getcwd"], "to return a keras.Model, received a str"),
        (["os:abort_not"], "defines no abort_not"),
        (["broken.py:build"], "ZeroDivisionError: division by zero (broken.py, line 2)"),
        (["broken.py:VALUE"], "to be a model, or a function that returns one, received a int"),
        (["flat.keras"], "Expected --data"),
        (["flat.keras", "--data", "cats"], "Unknown data 'cats'"),
        (["flat.keras", "--data", "npz:other.npz"], "Expected arrays image in other.npz"),
        (["flat.keras", "--data", "broken.py:build"], "broken.py:build() failed"),
        (["flat.keras", "--data", "broken.py:VALUE"], "received a int"),
        (["flat.keras", "--data", "digits", "--web", "page"], "--web is for runs"),
        (["flat.keras", "--data", "digits", "--better", "lower"], "--better is for --metric"),
        (["flat.keras", "--data", "digits", "--task", "map"], "The task 'map' is for classes for each pixel"),
        (["model.tflite", "--data", "digits"], "is an exported file"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_one_line_and_leaves_no_file(words, message, own_folder, capsys):
    (own_folder / "broken.py").write_text("def build():\n    return 1 / 0\n\n\nVALUE = 3\n")
    flat(10).save("flat.keras")
    np.savez("other.npz", other=np.zeros(3))
    before = sorted(own_folder.iterdir())
    assert main(["export", *words, *FP32]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
    assert [p for p in sorted(own_folder.iterdir()) if p.name != "__pycache__"] == before


@pytest.mark.slow
def test_doctor_takes_the_data_that_export_takes(own_folder, capsys):
    image = keras.Input((None, None, 1), name="image")
    keras.Model(image, layers.Dense(10)(layers.GlobalAveragePooling2D()(image))).save("open.keras")
    np.savez("items.npz", image=np.zeros((3, 8, 8, 1), "float32"))
    found = {}
    for name, words in (("open", []), ("given", ["--data", "npz:items.npz"])):
        assert main(["doctor", "open.keras", *words, "--json", f"{name}.json"]) == 0
        found[name] = [row["reason"] for row in json.loads((own_folder / f"{name}.json").read_text())]
    assert "npz:items.npz: float32 (3, 8, 8, 1)" in capsys.readouterr().out
    assert any("size" in reason for reason in found["open"])
    assert not any("size" in reason for reason in found["given"])
    assert main(["doctor", "open.keras", "--data", "npz:items.npz", "--shape", "1,8,8,1"]) == 2
    assert "received both" in capsys.readouterr().err


@pytest.mark.parametrize("pixels", ["0:255", "0:1", "-1:1"])
def test_all_ranges_of_pixels_can_be_given_as_two_words(pixels):
    options = make_parser().parse_args(["export", "m.keras", "--pixels", pixels, "--data", "digits"])
    assert options.pixels == pixels and options.data == "digits"
