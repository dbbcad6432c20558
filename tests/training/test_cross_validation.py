import csv
import os
import subprocess
import sys

import numpy as np
import pytest

from keras_vit.__main__ import main
from keras_vit.errors import InputError
from keras_vit.io.json_files import read_json
from keras_vit.training import ImageRecipe, cross_validate, load_data
from keras_vit.training.cross_validation import summarised
from keras_vit.training.fit import fit

RECIPE = """
from keras_vit.training import ImageRecipe
RECIPE = ImageRecipe(data="npz:{data}", model="linear", epochs=2, batch_size=16, learning_rate=0.1)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A recipe of 60 images, bright and dark ones, and its cross-validation without an interruption."""
    path = tmp_path_factory.mktemp("folds")
    labels = np.arange(60) % 2
    images = np.random.default_rng(0).integers(0, 128, (60, 6, 6, 1)) + 100 * labels[:, None, None, None]
    np.savez(path / "data.npz", images=images.astype("uint8"), labels=labels, label_names=["dark", "bright"])
    (path / "recipe.py").write_text(RECIPE.format(data=path / "data.npz"))
    cross_validate(path / "recipe.py", path / "whole", folds=2)
    return path


def words(folder, run, *more):
    return ["train", str(folder / "recipe.py"), "--run-dir", str(folder / run), *more]


def num_tested(run):
    with open(run / "predictions.csv") as file:
        return sum(row["split"] == "test" for row in csv.DictReader(file))


def test_mean_and_spread_are_those_of_the_folds(folder):
    found = read_json(folder / "whole" / "folds.json", dict)
    runs = [read_json(folder / "whole" / f"fold_{number}" / "metrics.json", dict) for number in (1, 2)]
    values = [run["accuracy"] for run in runs]
    assert found["metrics"]["accuracy"]["values"] == values
    assert found["metrics"]["accuracy"]["mean"] == pytest.approx(np.mean(values))
    assert found["metrics"]["accuracy"]["std"] == pytest.approx(abs(values[0] - values[1]) / np.sqrt(2))
    assert found["num_images"] == [30, 30]
    assert [num_tested(folder / "whole" / f"fold_{number}") for number in (1, 2)] == [30, 30]
    assert (found["folds"], found["finished"], found["data"]) == (2, 2, "npz:data.npz")


def test_the_same_command_continues_within_a_fold_and_with_those_that_are_missing(folder, capsys):
    recipe = ImageRecipe(
        data=f"npz:{folder / 'data.npz'}", model="linear", epochs=2, batch_size=16, learning_rate=0.1
    )
    fit(recipe.replace(fold="1/2"), folder / "again" / "fold_1", until_epoch=1)  # as if it was killed then
    assert main(words(folder, "again", "--folds", "2")) == 0
    whole = read_json(folder / "whole" / "folds.json", dict)
    assert read_json(folder / "again" / "folds.json", dict) == whole
    accuracy = whole["metrics"]["accuracy"]
    assert (
        f"accuracy {accuracy['mean']:.4f}, standard deviation {accuracy['std']:.4f} "
        f"({', '.join(f'{value:.4f}' for value in accuracy['values'])})\n"
    ) in capsys.readouterr().out
    before = (folder / "again" / "fold_1" / "metrics.json").stat().st_mtime_ns
    assert main(words(folder, "again", "--folds", "2")) == 0  # finished: nothing is trained
    assert (folder / "again" / "fold_1" / "metrics.json").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("run", "more", "message"),
    [
        ("new", ["--folds", "31"], "received 31: dark has 30 images. Take fewer folds, or add images"),
        ("new", ["--folds", "1"], "Expected 2 to 1,000 folds, received 1."),
        ("new", ["--folds", "2", "fold=1/2"], "The recipe has fold=1/2, one of several folds: leave it out"),
        ("whole", ["--folds", "3"], "fold=1/3 (was 1/2)"),
        ("whole", ["--folds", "2", "epochs=1"], "contains a run of another recipe: epochs=1 (was 2)"),
        ("whole", [], "folds.json belongs to no run that can be resumed"),
        ("whole/fold_1", ["--folds", "2"], "contains a run that is no fold"),
    ],
)
def test_wrong_folds_are_refused_in_one_line_and_nothing_is_written(run, more, message, folder, capsys):
    files = sorted(folder.rglob("*"))
    assert main(words(folder, run, *more)) == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("keras-vit: ")]
    assert message in line
    assert sorted(folder.rglob("*")) == files


def test_text_and_data_with_splits_have_no_folds(folder, tmp_path, capsys):
    assert main(["train", "char_names_lstm", "--folds", "3", "--run-dir", str(tmp_path / "text")]) == 2
    assert "Folds are made of images" in capsys.readouterr().err
    data = load_data(f"npz:{folder / 'data.npz'}")
    with pytest.raises(InputError, match="Folds are made of images that have no splits yet"):
        cross_validate(ImageRecipe(model="linear"), tmp_path / "given", folds=2, data=data)
    assert not list(tmp_path.iterdir())


def test_processes_that_train_together_have_no_folds(folder, monkeypatch, capsys):
    monkeypatch.setenv("KERAS_DISTRIBUTION_NUM_PROCESSES", "2")
    assert main(words(folder, "together", "--folds", "2", "--devices", "all")) == 2
    assert "Folds are trained by one process with all its devices" in capsys.readouterr().err
    assert not (folder / "together").exists()


@pytest.mark.slow
def test_folds_on_two_devices_are_those_of_one(folder):
    pytest.importorskip("jax")
    environment = {"KERAS_BACKEND": "jax", "XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    found = []
    for number in ("1", "2"):
        options = words(folder, f"on_{number}", "--folds", "2", "--devices", number)
        command = [sys.executable, "-m", "keras_vit", *options]
        done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-2000:]
        found.append(read_json(folder / f"on_{number}" / "folds.json")["metrics"])
    one, two = (metrics["cross_entropy"]["values"] for metrics in found)
    np.testing.assert_allclose(two, one, rtol=1e-4)


def test_metrics_of_other_kinds_of_labels_are_summarised_too():
    folds = [
        {"data": "numbers", "num_images": 5, "mean_absolute_error": error, "r2": 1 - error}
        for error in (0.1, 0.3)
    ]
    found = summarised(folds, 3)
    assert found["metrics"].keys() == {"mean_absolute_error", "r2"} and found["finished"] == 2
    assert found["metrics"]["mean_absolute_error"]["mean"] == pytest.approx(0.2)
