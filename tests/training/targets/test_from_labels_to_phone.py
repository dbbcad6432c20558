"""Each kind of labels: from a table to a trained model, its files and their answers."""

import csv
import json
import shutil

import numpy as np
import pytest
from PIL import Image

from keras_vit.__main__ import main
from keras_vit.errors import InputError
from keras_vit.export import load_predictor
from keras_vit.io.json_files import read_json, write_json
from keras_vit.training import ImageRecipe, evaluate, train
from keras_vit.training.fit import fit
from keras_vit.training.recipe_file import load_recipe
from keras_vit.training.run_folder import RunFolder
from keras_vit.training.targets.several import SeveralLabels

COUNT = 120
KINDS = ("several", "numbers", pytest.param("soft", marks=pytest.mark.slow))


def pixels(amounts):
    """Images whose red, green and blue are these shares of their range, with noise."""
    noise = np.random.default_rng(1).integers(0, 40, (len(amounts), 12, 12, 3))
    return (noise + 200 * np.asarray(amounts)[:, None, None]).astype("uint8")


def labels_of(kind):
    generator = np.random.default_rng(0)
    if kind == "several":
        return (generator.random((COUNT, 3)) < (0.5, 0.4, 0.2)).astype(int), ("red", "green", "blue")
    if kind == "numbers":
        return generator.random((COUNT, 2)).round(3), ("height", "weight")
    shares = np.full((COUNT, 3), 0.1)
    shares[np.arange(COUNT), generator.integers(0, 3, COUNT)] = 0.8
    return shares, ("ash", "birch", "cedar")


@pytest.fixture(scope="module", params=KINDS)
def trained(request, tmp_path_factory):
    """A run on a folder with a labels.csv, and the kind of its labels."""
    folder = tmp_path_factory.mktemp(request.param)
    labels, names = labels_of(request.param)
    amounts = np.pad(labels, [(0, 0), (0, 3 - labels.shape[1])])
    (folder / "photos").mkdir()
    with open(folder / "photos" / "labels.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", *names])
        for number, (image, row) in enumerate(zip(pixels(amounts), labels, strict=True)):
            Image.fromarray(image).save(folder / "photos" / f"{number}.png")
            writer.writerow([f"{number}.png", *row])
    rate = 0.1 if request.param == "numbers" else 0.03
    recipe = ImageRecipe(
        data=f"folder:{folder / 'photos'}",
        label_column="*",
        image_size=12,
        model="linear",
        epochs=40,
        batch_size=16,
        learning_rate=rate,
        weight_decay=0,
    )
    return request.param, train(recipe, folder / "run")


def test_the_kind_is_read_learned_and_scored(trained):
    kind, run = trained
    assert run.data.label_kind == kind
    metrics = run.metrics
    if kind == "several":
        assert metrics["mean_average_precision"] > 0.95 and metrics["macro"]["f1"] > 0.9
        assert metrics["average_precision_by_chance"] < 0.6
    elif kind == "numbers":
        assert metrics["r2"] > 0.9 and [row["label"] for row in metrics["per_number"]] == ["height", "weight"]
        assert metrics["mean_absolute_error"] < 0.3 * metrics["error_of_median"]
    else:
        assert metrics["accuracy"] > 0.9 and metrics["least_cross_entropy"] == pytest.approx(0.6390, abs=1e-3)
        assert metrics["cross_entropy"] >= metrics["least_cross_entropy"]
    assert run.task.place(metrics) and run.task.summary(metrics)
    assert evaluate(run.folder.path) == metrics


def test_the_answers_of_all_files_are_those_of_the_run(trained, capsys):
    kind, run = trained
    files = {"savedmodel": "saved_model", "fp32": "model_fp32.tflite"}
    if kind == "numbers":
        del files["savedmodel"]
    variants = [word for variant in files for word in ("--variant", variant)]
    assert main(["export", str(run.folder.path), *variants]) == 0
    assert capsys.readouterr().out.count("verified") == len(files)
    images = run.data.test.images[:8]
    expected = answers(run.folder.path, images)
    for name in files.values():
        found = load_predictor(run.folder.export / name)
        assert found.label_names == run.data.label_names
        np.testing.assert_allclose(answers(run.folder.export / name, images), expected, rtol=1e-4, atol=1e-5)
    (output,) = found.description.outputs
    assert output.task == {"several": "labels", "numbers": "regression", "soft": "classification"}[kind]
    row = read_json(run.folder.export / "export.json")["variants"][-1]
    metric = {"several": "F1", "numbers": "explained variance", "soft": "accuracy"}[kind]
    assert row["metric"] == metric and abs(row["drop"]) < 0.2
    if kind == "several":
        recorded = read_json(run.folder.path / "outputs.json")["thresholds"]
        assert output.thresholds == pytest.approx(recorded)
        at_thresholds = expected >= np.array(recorded)
        assert (at_thresholds == (run.data.test.labels[:8] > 0)).mean() > 0.9


def answers(model, images):
    (values,) = load_predictor(model).outputs(images).values()
    return values


def test_names_or_thresholds_of_other_labels_are_refused(trained, tmp_path):
    kind, run = trained
    folder = shutil.copytree(run.folder.path, tmp_path / "run")
    (folder / "labels.txt").write_text("one\n")
    with pytest.raises(InputError, match="Expected one label per .*, the labels next to it are 1"):
        load_predictor(folder)
    shutil.copy(run.folder.labels, folder)
    if kind == "several":
        write_json(folder / "outputs.json", read_json(folder / "outputs.json") | {"thresholds": [0.5]})
        with pytest.raises(InputError, match=r"one threshold per label: .* is \(3,\), .* are 1"):
            load_predictor(folder)


def test_predict_shows_and_writes_them(trained, tmp_path, capsys):
    kind, run = trained
    file = str(run.data.test.names()[0])
    options = ["--csv", str(tmp_path / "o.csv"), "--json", str(tmp_path / "o.json")]
    assert main(["predict", str(run.folder.path), file, *options]) == 0
    (row,) = csv.DictReader((tmp_path / "o.csv").read_text().splitlines())
    shown, label = capsys.readouterr().out, run.data.test.labels[0]
    names = run.data.label_names
    if kind == "several":
        held = {name for name, holds in zip(names, label, strict=True) if holds}
        assert set(filter(None, row["labels"].split(";"))) == held
        assert all(name in shown for name in held) or "none of the labels" in shown
    elif kind == "numbers":
        np.testing.assert_allclose([float(row[name]) for name in names], label, atol=0.2)
        assert "height" in shown and "weight" in shown
    else:
        assert row["class"] == names[label.argmax()]
    assert len(json.loads((tmp_path / "o.json").read_text())) == 1


def test_each_held_out_image_has_a_row(trained):
    kind, run = trained
    rows = list(csv.DictReader(run.folder.predictions.read_text().splitlines()))
    assert len(rows) == len(run.data.validation) + len(run.data.test)
    columns = {"several": "labels", "numbers": "answer: height", "soft": "answer"}
    assert columns[kind] in rows[0]


def test_the_report_has_its_pictures_and_its_table(trained):
    kind, run = trained
    pictures = {path.stem for path in run.folder.report.glob("*.png")}
    page = (run.folder.report / "index.html").read_text()
    expected = {"several": "average_precision", "numbers": "numbers", "soft": "confusion_matrix"}
    assert expected[kind] in pictures and "training_curves" in pictures
    assert ("calibrated" in pictures) == (kind != "numbers")
    assert all(name in page for name in run.data.label_names)


def test_the_model_alone_is_evaluated_on_other_data_with_labels(trained, capsys):
    kind, run = trained
    spec = ["--data", run.task.recipe.data, "--label-column", "*"]
    assert main(["evaluate", str(run.folder.export / "model_fp32.tflite"), *spec]) == 0
    metric = {"several": "F1", "numbers": "explained variance", "soft": "accuracy"}[kind]
    assert metric in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["several", pytest.param("numbers", marks=pytest.mark.slow)])
def test_a_run_is_resumed_bit_for_bit(tmp_path, kind):
    recipe = ImageRecipe(data=arrays(tmp_path, kind), model="linear", epochs=3, batch_size=16)
    whole = fit(recipe, tmp_path / "whole")
    fit(recipe, tmp_path / "cut", until_epoch=1)
    resumed = fit(recipe, tmp_path / "cut", resume=True)
    for one, other in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def arrays(folder, kind):
    labels, _ = labels_of(kind)
    np.savez(
        folder / "a.npz", images=pixels(np.pad(labels, [(0, 0), (0, 3 - labels.shape[1])])), labels=labels
    )
    return f"npz:{folder / 'a.npz'}"


@pytest.mark.parametrize(
    ("kind", "fields", "message"),
    [
        (
            "several",
            {"monitor": "accuracy"},
            "monitor to be mean_average_precision, macro_f1 or",
        ),
        ("several", {"loss": "hinge", "label_smoothing": 0.0}, "loss=hinge is for one class an image"),
        ("several", {"monitor": "recall:brown"}, "monitor to name a class of the data, .*received 'brown'"),
        ("numbers", {"class_weight": "balanced"}, "class_weight is for classes, and the data have numbers"),
        ("several", {"label_smoothing": 0.2}, "label_smoothing is for one class an image, .* several labels"),
        ("soft", {"label_smoothing": 0.2}, "label_smoothing is for one class an image, .* soft labels"),
        (
            "numbers",
            {"cutmix_alpha": 0.2},
            "cutmix_alpha is for one class an image, and the data have numbers",
        ),
        ("numbers", {"monitor": "macro_f1"}, "monitor to be none .* or mean_absolute_error"),
        ("numbers", {"label_kind": "class"}, "to have one class for each image, received rows"),
        ("soft", {"monitor": "mean_average_precision"}, "recall:CLASS for classes"),
    ],
)
def test_fields_of_another_kind_are_refused(tmp_path, kind, fields, message):
    with pytest.raises(InputError, match=message):
        train(ImageRecipe(data=arrays(tmp_path, kind), model="linear", **fields), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_run_of_an_earlier_version_may_have_a_field_without_use(trained, tmp_path):
    _, run = trained
    folder = RunFolder(shutil.copytree(run.folder.path, tmp_path / "run"))
    written = read_json(folder.recipe, dict)
    written["recipe"]["label_smoothing"] = 0.2
    write_json(folder.recipe, written)
    assert train(load_recipe(folder.recipe), folder.path, resume=True).metrics == run.metrics


@pytest.mark.slow
def test_labels_are_weighted_by_how_few_images_have_them(tmp_path):
    labels = np.zeros((COUNT, 2), int)
    labels[::10, 0] = labels[::2, 1] = 1
    np.savez(tmp_path / "a.npz", images=pixels(np.pad(labels, [(0, 0), (0, 1)])), labels=labels)
    options = {"data": f"npz:{tmp_path / 'a.npz'}", "model": "linear", "epochs": 1, "batch_size": 16}
    run = train(ImageRecipe(**options, class_weight="balanced", monitor="macro_f1"), tmp_path / "run")
    weights = run.task.target.loss().weights
    held = run.data.train.labels.mean(axis=0)
    np.testing.assert_allclose(weights, (1 - held) / held, rtol=1e-5)
    assert "val_macro_f1" in run.folder.history.read_text()


@pytest.mark.parametrize(("option", "value"), [("--min-score", "0.1"), ("--top", "1")])
def test_numbers_have_no_least_score_and_no_best(trained, option, value, capsys):
    kind, run = trained
    words = ["predict", str(run.folder.path), str(run.data.test.names()[0]), option, value]
    assert main(words) == (2 if kind == "numbers" else 0)
    assert (f"{option} is for classes and labels" in capsys.readouterr().err) == (kind == "numbers")


def test_random_crops_that_may_leave_a_label_out_are_told():
    *_, line = SeveralLabels(ImageRecipe(model="linear", crop_area=0.35)).notes
    assert "random crops show 35 % or more" in line and "crop_area=none" in line
    assert "crop" not in "".join(SeveralLabels(ImageRecipe(model="linear")).notes)
