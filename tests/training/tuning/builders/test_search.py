"""Whole searches over builders, with processes."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import keras_tuner
import pytest
from builders_of_tests import WithOwnFit, build_dynamic, train, validation

from keras_vit import InputError
from keras_vit.__main__ import main
from keras_vit.training import search

pytestmark = pytest.mark.filterwarnings("ignore:.*is deprecated, :DeprecationWarning:keras_tuner")
DATA = {"train": train, "validation": validation}
FILE = """
import keras
from builders_of_tests import build, train as training_data, validation

def train():
    return training_data()
"""


def rows(folder):
    with open(folder / "results.csv", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_a_search_that_is_cut_continues_to_the_same_results_and_takes_more_trials(tmp_path):
    options = {"epochs": 2, "seeds": 0, **DATA}
    whole = search(build_dynamic, tmp_path / "whole", trials=3, **options)
    cut = search(build_dynamic, tmp_path / "cut", trials=2, **options)
    assert len(cut.records) == 2
    resumed = search(build_dynamic, tmp_path / "cut", trials=3, **options)
    assert [(r.values, r.seed, r.score, r.epochs) for r in resumed.records] == [
        (r.values, r.seed, r.score, r.epochs) for r in whole.records
    ]
    assert {"layers", "units_0", "units_1"} <= rows(tmp_path / "cut")[0].keys()
    for changed, difference in [
        ({"epochs": 3}, "epochs was 2, is 3"),
        ({"batch_size": 8}, "batch_size was 32, is 8"),
        ({"train": validation}, "train was builders_of_tests:train, is builders_of_tests:validation"),
        ({"objective": "loss"}, "objective was val_loss, is loss"),
    ]:
        with pytest.raises(InputError, match=difference):
            search(build_dynamic, tmp_path / "cut", trials=3, **{**options, **changed})


@pytest.mark.slow
@pytest.mark.parametrize("tuner", ["hyperband", "asha"])
def test_tuners_that_decide_the_epochs_search_builders_too(tmp_path, tuner):
    found = search(WithOwnFit, tmp_path, trials=4, epochs=3, seeds=1, tuner=tuner, **DATA)
    assert found.winner.is_scored and found.model_file.exists()
    assert max(max(record.epochs) for record in found.records) == 3


@pytest.mark.slow
def test_a_file_with_a_builder_is_searched_by_the_command(tmp_path, monkeypatch, capsys):
    file = tmp_path / "my_search.py"
    file.write_text(FILE)
    monkeypatch.setattr(sys, "path", [*sys.path])
    words = [file, "--trials", 1, "--epochs", 1, "--seeds", 1, "--objective", "val_auc", "--max-size-mb", 1]
    assert main(["tune", *map(str, words), "--run-dir", str(tmp_path / "run")]) == 0
    shown = capsys.readouterr().out
    assert "its model, of the best seed" in shown and "Validation split, mean of 1 seed ±" in shown
    assert float(rows(tmp_path / "run")[0]["size_bytes"]) > 0
    (export,) = (tmp_path / "run").glob("winner-*/export/export.json")
    assert "verified against its outputs" in shown and (export.parent / "model_fp32.tflite").exists()


@pytest.mark.slow
def test_what_the_check_in_a_process_refuses_leaves_no_folder(tmp_path):
    objective = keras_tuner.Objective("val_f1", "max")
    with pytest.raises(InputError, match="'val_f1' is not logged"):
        search("builders_of_tests:build", tmp_path / "run", train=train(), objective=objective)
    assert not (tmp_path / "run").exists() or not any((tmp_path / "run").iterdir())


@pytest.mark.slow
def test_a_builder_that_ends_its_process_is_named_with_how_it_ended(tmp_path):
    with pytest.raises(InputError) as error:
        search("builders_of_tests:build_and_exit", tmp_path / "run", train=train())
    assert str(error.value) == (
        "The process that checks builders_of_tests:build_and_exit ended with exit code 7 in build(hp) of "
        "builders_of_tests:build_and_exit"
    )
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_other_backends_search_builders_without_files(tmp_path, backend):
    def tune(*words):
        data = ["--train", "builders_of_tests:train", "--validation", "builders_of_tests:validation"]
        words = ["tune", "builders_of_tests:build", *data, *words, "--run-dir", str(tmp_path / "run")]
        python_path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
        environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": python_path}
        command = [sys.executable, "-m", "keras_vit", *words]
        return subprocess.run(command, capture_output=True, text=True, env=environment)

    refused = tune("--max-size-mb", "1")
    assert refused.returncode == 2 and "unset KERAS_BACKEND, or limit parameters" in refused.stderr
    done = tune("--trials", "1", "--epochs", "1", "--seeds", "1", "--max-params", "999")
    assert done.returncode == 0 and "files are written with TensorFlow" in done.stdout
    assert list((tmp_path / "run").glob("winner-*/model.keras"))


@pytest.mark.slow
def test_a_fit_of_its_own_without_the_objective_ends_the_search_and_leaves_no_folder(tmp_path, capsys):
    words = ["builders_of_tests:WithOwnFit", "--train", "builders_of_tests:train", "--objective", "max:f1"]
    assert main(["tune", *words, "--epochs", "1", "--run-dir", str(tmp_path / "run")]) == 2
    assert "'f1' is not among what fit logged or returned: auc, loss" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_size_mb": -1}, "max_size_mb of at least 0, received -1"),
        ({"max_latency_ms": float("nan")}, "max_latency_ms of at least 0, received nan"),
        ({"max_params": "9"}, "max_params to be float or none, received '9'"),
        ({"max_latency": 3}, "does not accept 'max_latency'; did you mean 'max_latency_ms'"),
        ({"trials": 1.5}, "trials to be int, received 1.5"),
        ({"trials": 0}, "trials of at least 1"),
        ({"seeds": -1}, "seeds of at least 0"),
        ({"epochs": 0}, "epochs of at least 1"),
        ({"objective": 3}, "objective to be str or Objective or none"),
        ({"tuner": ["random"]}, "tuner to be str"),
        (
            {"train": (train()[0], train()[1][:9])},
            r"one length of at least 1, received shapes \(60, 4\), \(9, 1\)",
        ),
        ({"train": None}, "A search over a builder needs data"),
    ],
)
def test_wrong_arguments_are_one_line_and_leave_no_folder(tmp_path, options, message):
    with pytest.raises(InputError, match=message) as error:
        search(build_dynamic, tmp_path / "run", **{**DATA, **options})
    assert "\n" not in str(error.value) and not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("builders_of_tests:build epochs=3", "Expected no field=value with a search over a builder"),
        ("builders_of_tests:build --subset 3", "Expected no subset with a search over a builder"),
        ("vit_digits --epochs 3", "Expected no epochs with recipes: their fields say it"),
        ("vit_digits --train builders_of_tests:train", "Expected no train with recipes"),
        ("builders_of_tests:absent", "defines no absent"),
        ("builders_of_tests:NUMBER", "to be a function build"),
        ("no_such_module:build", "No module no_such_module here"),
        ("nowhere.py", "found none"),
        ("{empty}", "to define build(hp), or SEARCH, a Search"),
        ("{dataless}", "let {dataless} define train"),
        ("{broken}", "broken.py cannot be run: ZeroDivisionError: division by zero (broken.py, line 1)"),
        ("builders_of_tests:build --objective val_own", "Write max:val_own or min:val_own"),
        ("builders_of_tests:build --batch-size 0", "at least 1"),
        ("builders_of_tests:build --tuner best", "Unknown tuner"),
        ("builders_of_tests:build --max-latency-ratio 1", "Expected --relative-to"),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_2(tmp_path, capsys, monkeypatch, arguments, message):
    monkeypatch.setattr(sys, "path", [*sys.path])
    names = {name: str(tmp_path / f"{name}.py") for name in ("empty", "dataless", "broken")}
    codes = {"empty": "train = 1", "dataless": "def build(hp): pass", "broken": "1 / 0"}
    for name, code in codes.items():
        (tmp_path / f"{name}.py").write_text(code)
    try:
        code = main(["tune", *arguments.format(**names).split(), "--run-dir", str(tmp_path / "run")])
    except SystemExit as ended:
        code = ended.code
    lines = capsys.readouterr().err.strip().splitlines()
    assert code == 2 and len(lines) == 1 and message.format(**names) in lines[0]
    assert not (tmp_path / "run").exists()
