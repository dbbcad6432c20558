"""predict takes folders, patterns and lists of images, and loses no answer."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from keras_vit.__main__ import main
from keras_vit.export import export_model

NAMES = ("dark", "red", "green")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A classifier of the brightest colour, next to images whose colour their name gives."""
    folder = tmp_path_factory.mktemp("predict")
    image = keras.Input((8, 8, 3), name="image")
    x = keras.layers.GlobalAveragePooling2D()(image)
    model = keras.Model(image, keras.layers.Dense(3, "softmax", name="colour")(x))
    kernel = np.array([[0, 0.05, 0], [0, 0, 0.05], [0, 0, 0]], "float32")
    model.set_weights([kernel, np.array([5, 0, 0], "float32")])
    model.save(folder / "model.keras")
    (folder / "labels.txt").write_text("\n".join(NAMES) + "\n")
    for place, number in (("photos", 40), ("photos/more", 30)):
        (folder / place).mkdir()
        for index in range(number):
            name = NAMES[index % 3]
            colour = {"dark": (0, 0, 0), "red": (250, 0, 0), "green": (0, 250, 0)}[name]
            Image.new("RGB", (12, 10), colour).save(folder / place / f"{index:02}_{name}.png")
    (folder / "photos" / "notes.txt").write_text("no image")
    return folder


@pytest.fixture(autouse=True)
def here(folder, monkeypatch):
    monkeypatch.chdir(folder)
    yield
    for name in ("out.csv", "out.json"):
        (folder / name).unlink(missing_ok=True)


def predict(*words):
    return main(["predict", "model.keras", "--outputs", "probabilities", *words])


def rows():
    with open("out.csv", newline="") as file:
        return list(csv.DictReader(file))


def test_a_folder_is_predicted_in_order_and_each_file_has_its_own_answer(capsys):
    assert predict("photos", "--csv", "out.csv", "--json", "out.json") == 0
    printed = capsys.readouterr()
    assert "passed over in photos: 1 .txt" in printed.err
    assert printed.out == "70 files: see out.csv and out.json\n"
    found = rows()
    assert [row["file"] for row in found[:2]] == ["photos/00_dark.png", "photos/01_red.png"]
    assert found[-1]["file"] == "photos/more/29_green.png" and len(found) == 70
    assert all(row["class"] == row["file"].rpartition("_")[2].removesuffix(".png") for row in found)
    assert list(found[0]) == [
        "file", "class", "probability", "class_2", "probability_2", "class_3", "probability_3", "error"
    ]  # fmt: skip
    whole = json.loads(Path("out.json").read_text())
    assert [item["file"] for item in whole] == [row["file"] for row in found]
    assert max(whole[1]["colour"]) == pytest.approx(float(found[1]["probability"]))


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (["photos/0*.png"], 10),
        (["photos/**/0?_red.png"], 6),
        (["photos/00_dark.png", "photos/0*_dark.png"], 4),
        (["--files-from", "list.txt"], 2),
        (["photos/03_dark.png", "--files-from", "list.txt"], 3),
    ],
)
def test_patterns_and_lists_give_each_file_once(words, count, folder):
    (folder / "list.txt").write_text("photos/00_dark.png\n\nphotos/01_red.png\n")
    assert predict(*words, "--csv", "out.csv") == 0
    assert len({row["file"] for row in rows()}) == len(rows()) == count


def test_a_list_may_come_from_the_standard_input(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("photos/00_dark.png\nphotos/02_green.png\n"))
    assert predict("--files-from", "-", "--csv", "out.csv") == 0
    assert [row["class"] for row in rows()] == ["dark", "green"]


def test_what_decoding_alters_is_said(tmp_path, capsys):
    Image.new("RGBA", (12, 10), (250, 0, 0, 128)).save(tmp_path / "clear.png")
    Image.fromarray(np.linspace(0, 4095, 120).reshape(10, 12).astype("uint16")).save(tmp_path / "scan.png")
    assert predict(str(tmp_path)) == 0
    said = capsys.readouterr().err
    assert "1 image has transparent parts, which become white" in said
    assert "1 image has 16 bits, with values from 0 to 4,095 of 65,535: divided by 257, 17 levels" in said
    assert predict("photos/00_dark.png") == 0
    assert "1 image has" not in capsys.readouterr().err


def test_classes_below_a_score_are_left_out(capsys):
    assert predict("photos/01_red.png", "--min-score", "0.5", "--csv", "out.csv") == 0
    assert rows()[0]["class"] == "red" and rows()[0]["class_2"] == ""
    assert predict("photos/01_red.png", "--min-score", "1", "--csv", "out.csv") == 0
    assert rows()[0]["class"] == "" and "-" in capsys.readouterr().out.splitlines()[-1]


def test_of_several_labels_the_best_are_named_and_a_least_score_is_a_threshold(tmp_path, capsys):
    image = keras.Input((8, 8, 3), name="image")
    x = keras.layers.GlobalAveragePooling2D()(image)
    model = keras.Model(image, keras.layers.Dense(3, "sigmoid", name="colour")(x))
    model.set_weights(
        [np.zeros((3, 3), "float32"), np.log([9, 4, 1 / 3]).astype("float32")]
    )  # 0.9, 0.8, 0.25
    options = {"task": "labels", "label_names": NAMES, "variants": ["fp32"]}
    export_model(model, tmp_path, inputs=np.zeros((20, 8, 8, 3)), **options)

    def found(*words):
        file = str(tmp_path / "model_fp32.tflite")
        assert main(["predict", file, "photos/00_dark.png", "--csv", "out.csv", *words]) == 0
        return capsys.readouterr().out.splitlines()[-1].split(maxsplit=2)[2].strip(), rows()[0]["labels"]

    assert found() == ("dark 0.9000, red 0.8000", "dark;red")
    assert found("--top", "1") == ("dark 0.9000", "dark")
    assert found("--min-score", "0.85") == ("dark 0.9000", "dark")
    most = ("--min-score", "0.95")
    assert found(*most) == ("none of the labels; best: dark 0.9000, red 0.8000, green 0.2500", "")
    assert found(*most, "--top", "1") == ("none of the labels; best: dark 0.9000", "")


@pytest.mark.parametrize(("words", "code"), [([], 2), (["--skip-broken"], 0)])
def test_all_other_images_are_answered_when_some_are_broken(words, code, folder, capsys, request):
    for name in ("photos/20_broken.png", "photos/90_broken.jpg"):
        (folder / name).write_bytes(b"no image")
        request.addfinalizer((folder / name).unlink)
    assert predict("photos", "--csv", "out.csv", "--json", "out.json", *words) == code
    found = {row["file"]: row for row in rows()}
    assert len(found) == 72 and found["photos/39_dark.png"]["class"] == "dark"
    broken = {file for file, row in found.items() if row["error"]}
    assert broken == {"photos/20_broken.png", "photos/90_broken.jpg"}
    assert list(found) == sorted(found) == [item["file"] for item in json.loads(Path("out.json").read_text())]
    assert broken == {item["file"] for item in json.loads(Path("out.json").read_text()) if "error" in item}
    error = capsys.readouterr().err
    assert "2 of 72 images cannot be read: photos/20_broken.png, photos/90_broken.jpg" in error


@pytest.mark.parametrize(("words", "code"), [([], 2), (["--skip-broken"], 0)])
def test_a_listed_file_that_is_absent_counts_as_broken(words, code, folder, capsys):
    (folder / "list.txt").write_text("photos/00_dark.png\nphotos/absent.png\nphotos/02_green.png\n")
    assert predict("--files-from", "list.txt", "--csv", "out.csv", *words) == code
    found = {row["file"]: (row["class"], bool(row["error"])) for row in rows()}
    assert found == {
        "photos/00_dark.png": ("dark", False),
        "photos/02_green.png": ("green", False),
        "photos/absent.png": ("", True),
    }
    assert "1 of 3 images cannot be read: photos/absent.png" in capsys.readouterr().err


def test_numbers_have_a_column_each(folder):
    image = keras.Input((8, 8, 3), name="image")
    x = keras.layers.GlobalAveragePooling2D()(image)
    outputs = {"mean": keras.layers.Dense(1, name="mean")(x), "colours": keras.layers.Rescaling(1.0)(x)}
    keras.Model(image, outputs).save("numbers.keras")
    assert main(["predict", "numbers.keras", "photos/01_red.png", "--csv", "out.csv"]) == 0
    (row,) = rows()
    assert {"file", "mean", "colours_0", "colours_2", "error"} <= set(row)
    assert [float(row[f"colours_{i}"]) for i in range(3)] == [250, 0, 0]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "Expected at least one FILE"),
        (["nothing/*.png"], "No file here fits the pattern nothing/*.png"),
        (["empty"], "Expected images in the folder empty, found nothing"),
        (["--files-from", "absent.txt"], "Expected a text file at absent.txt"),
        (["--files-from", "empty.txt"], "Expected a path in each line of empty.txt, found none"),
        (["photos/00_dark.png", "--csv", "photos/00_dark.png"], "would replace an input file"),
        (["photos/00_dark.png", "--csv", "absent/out.csv"], "cannot be written"),
        (["photos/00_dark.png", "--csv", "photos"], "cannot be written"),
        (["photos/00_dark.png", "--min-score", "2"], "--min-score: expected a number from 0 to 1"),
    ],
)
def test_wrong_files_are_refused_in_one_line(words, message, folder, capsys):
    (folder / "empty").mkdir(exist_ok=True)
    (folder / "empty.txt").write_text("\n\n")
    try:
        code = predict(*words)
    except SystemExit as exit:
        code = exit.code
    error = capsys.readouterr().err
    assert code == 2 and message in error and error.count("\n") == 1
    assert not os.path.exists("out.csv")


@pytest.mark.usefixtures("foreground")
def test_an_interrupted_prediction_keeps_what_it_has(monkeypatch, capsys):
    from keras_vit.commands import predict as command

    whole = command._images

    def interrupted(*arguments):
        for number, batch in enumerate(whole(*arguments)):
            if number == 1:
                signal.raise_signal(signal.SIGINT)
            yield batch

    monkeypatch.setattr(command, "_images", interrupted)
    assert predict("photos", "--csv", "out.csv", "--json", "out.json") == 130
    assert len(rows()) == len(json.loads(Path("out.json").read_text())) == 32


BLOCKED = """
import sys
sys.modules["keras"] = sys.modules["tensorflow"] = None  # importing them fails
from keras_vit.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


def test_a_tflite_file_predicts_without_keras_and_tensorflow(folder):
    images = np.zeros((4, 8, 8, 3), "uint8")
    options = {"label_names": list(NAMES), "task": "classification", "variants": ["fp32"]}
    export_model(keras.models.load_model("model.keras"), "out", inputs=images, **options)
    words = ["predict", "out/model_fp32.tflite", "photos", "--csv", "out.csv"]
    done = subprocess.run([sys.executable, "-c", BLOCKED, *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert {row["file"][-9:-4]: row["class"] for row in rows()}["green"] == "green" and len(rows()) == 70
