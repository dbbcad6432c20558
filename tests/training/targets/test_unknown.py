"""A classifier that may answer that a picture has none of its classes."""

import csv
import dataclasses
import shutil

import numpy as np
import pytest
from PIL import Image

from keras_vit.__main__ import main
from keras_vit.errors import DataWarning, InputError
from keras_vit.export import load_predictor
from keras_vit.io.json_files import read_json
from keras_vit.io.output_meaning import read_output_meaning
from keras_vit.training import ImageRecipe, evaluate, train
from keras_vit.training.targets.unknown import least_score


def test_the_least_score_leaves_the_wanted_share_of_right_answers():
    generator = np.random.default_rng(0)
    scores = generator.random(2000)
    right = generator.random(2000) < scores  # as of a calibrated model
    for precision in (0.6, 0.8, 0.95):
        least = least_score(scores, right, precision)
        answered = scores >= least
        assert right[answered].mean() >= precision
        lower = scores >= least - 0.02
        assert right[lower].mean() < right[answered].mean() + 0.01 and answered.sum() >= 10
    assert least_score(scores, np.ones(2000, bool), 0.9) < scores.min()


def test_equal_scores_are_answered_alike():
    scores = np.array([0.9] * 20 + [0.5] * 10)
    right = np.array([True] * 20 + [True, *[False] * 9])
    assert least_score(scores, right, 0.95) == pytest.approx(0.7)


def test_a_precision_that_no_score_reaches_is_refused():
    with pytest.raises(InputError, match=r"No score makes 0.9 of the answers right: .* at most 0.5"):
        least_score(np.linspace(0, 1, 40), np.arange(40) % 2 == 0, 0.9)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A classifier of dark and light squares, and a folder of noise."""
    folder = tmp_path_factory.mktemp("unknown")
    generator = np.random.default_rng(0)
    levels = generator.integers(0, 2, 200)
    images = (40 + 160 * levels[:, None, None, None] + generator.normal(0, 30, (200, 8, 8, 3))).clip(0, 255)
    labels = np.where(generator.random(200) < 0.1, 1 - levels, levels)
    np.savez(folder / "data.npz", images=images.astype("uint8"), labels=labels)
    (folder / "unknown").mkdir()
    for index in range(40):  # halfway between the classes
        pixels = generator.normal(120, 30, (8, 8, 3)).clip(0, 255).astype("uint8")
        Image.fromarray(pixels).save(folder / "unknown" / f"{index}.png")
    recipe = ImageRecipe(
        data=f"npz:{folder / 'data.npz'}",
        validation_fraction=0.3,
        test_fraction=0.3,
        model="linear",
        epochs=30,
        batch_size=16,
        learning_rate=0.03,
        weight_decay=0,
    )
    return train(recipe, folder / "run"), folder


def test_unknown_pictures_get_no_class_in_any_form(run, tmp_path, capsys):
    trained, folder = run
    assert "none_of_these" not in trained.metrics
    wanted = ["--precision", "0.85", "--unknown", str(folder / "unknown")]
    assert main(["evaluate", str(folder / "run"), *wanted]) == 0
    found = read_json(folder / "run" / "metrics.json")["none_of_these"]
    assert "none of these below a probability" in capsys.readouterr().out
    assert found["unknown_answered"] <= 0.3 and found["num_unknown"] == 20 and found["answered"] > 0.7
    assert evaluate(folder / "run")["none_of_these"]["threshold"] == found["threshold"]  # it stays
    assert main(["export", str(folder / "run"), "--variant", "fp32"]) == 0
    capsys.readouterr()
    file = folder / "run" / "export" / "model_fp32.tflite"
    (output,) = load_predictor(file).description.outputs
    assert output.none_below == pytest.approx(found["threshold"])
    data = ["--data", f"npz:{folder / 'data.npz'}", "--out", str(tmp_path / "again"), "--variant", "fp32"]
    assert main(["export", str(folder / "run" / "model.keras"), *data]) == 0
    again = tmp_path / "again" / "model_fp32.tflite"
    for model in (folder / "run", file, again):
        csv_file = tmp_path / f"{model.parent.name}.csv"
        assert main(["predict", str(model), str(folder / "unknown"), "--csv", str(csv_file)]) == 0
        assert "none of these" in capsys.readouterr().out
        with open(csv_file, newline="") as rows:
            answers = [row["class"] for row in csv.DictReader(rows)]
        assert np.mean([answer != "none of these" for answer in answers]) <= 0.3


def with_threshold(run, tmp_path):
    """A copy of the run, and what its outputs mean with a threshold."""
    folder = shutil.copytree(run[0].folder.path, tmp_path / "run")
    meaning = dataclasses.replace(read_output_meaning(folder), none_below=0.8)
    meaning.write(folder)
    return folder, meaning


def test_a_finished_run_that_is_resumed_keeps_the_threshold(run, tmp_path):
    folder, meaning = with_threshold(run, tmp_path)
    train(run[0].task.recipe, folder, resume=True)
    assert read_output_meaning(folder) == meaning


def test_more_epochs_drop_the_threshold_of_the_model_before(run, tmp_path):
    folder, _ = with_threshold(run, tmp_path)
    with pytest.warns(DataWarning, match="none of these is that of fewer epochs, and is dropped"):
        trained = train(run[0].task.recipe.replace(epochs=31), folder, resume=True)
    assert read_output_meaning(folder).none_below is None and "none_of_these" not in trained.metrics


def test_a_threshold_of_other_probabilities_is_told(run, tmp_path):
    folder, meaning = with_threshold(run, tmp_path)
    dataclasses.replace(meaning, temperature=2 * meaning.temperature).write(folder)
    with pytest.warns(DataWarning, match=r"none of these, 0.8000, was fitted before: fit it again"):
        assert evaluate(folder)["none_of_these"]["threshold"] == 0.8


def test_an_evaluation_writes_a_damaged_file_anew(run, tmp_path):
    folder, meaning = with_threshold(run, tmp_path)
    (folder / "outputs.json").write_text("{}")
    with pytest.warns(DataWarning, match=r"outputs.json is damaged, and is written again.* --precision"):
        evaluate(folder)
    assert read_output_meaning(folder) == dataclasses.replace(meaning, none_below=None)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--unknown", "."], "unknown needs the precision of answers"),
        (["--precision", "0.95", "--unknown", "none"], "pictures with none of the classes at none"),
        (["--precision", "0.9", "--data", "digits"], "--precision is for runs"),
    ],
)
def test_bad_input_is_one_line(run, options, message, capsys):
    before = (run[1] / "run" / "metrics.json").read_bytes()
    assert main(["evaluate", str(run[1] / "run"), *options]) == 2
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error
    assert (run[1] / "run" / "metrics.json").read_bytes() == before


def test_of_other_labels_it_is_refused_before_data_are_read(tmp_path, capsys):
    generator = np.random.default_rng(0)
    data = tmp_path / "data.npz"
    labels = generator.integers(0, 2, (80, 2))
    np.savez(data, images=generator.integers(0, 256, (80, 8, 8, 3)).astype("uint8"), labels=labels)
    recipe = ImageRecipe(data=f"npz:{data}", label_kind="several", model="linear", epochs=1, batch_size=16)
    train(recipe, tmp_path / "run")
    data.unlink()
    capsys.readouterr()
    assert main(["evaluate", str(tmp_path / "run"), "--precision", "0.95"]) == 2
    error = capsys.readouterr().err
    assert "is for runs of classes" in error and "outputs.json" in error and "predict --min-score" in error
    with pytest.raises(InputError, match="this one is of labels"):
        evaluate(tmp_path / "run", precision=0.95)


def test_a_threshold_of_too_few_images_is_refused_as_such():
    scores = np.linspace(0.5, 1, 9)
    with pytest.raises(InputError, match="has to leave 10 answers or more, and 9 on the validation images"):
        least_score(scores, scores > 0, 0.95)
