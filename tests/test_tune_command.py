"""`keras-vit tune`: what it refuses, in this process, and a whole search as a user runs it."""

import csv
import os
import socket
import subprocess
import sys

import pytest

from keras_vit.__main__ import main
from keras_vit.export.footprint import footprint
from keras_vit.io.json_files import read_json
from keras_vit.training.tuning.cluster import remote_ledger
from keras_vit.training.tuning.cluster.coordinator import Coordinator, serving
from keras_vit.training.tuning.plan import plan
from keras_vit.training.tuning.results.display import Display
from keras_vit.training.tuning.state.header import header_of
from keras_vit.training.tuning.state.journal import Journal
from keras_vit.training.tuning.state.ledger import Ledger
from keras_vit.training.tuning.state.oracles import build_oracle

pytestmark = pytest.mark.filterwarnings("ignore:.*is deprecated, :DeprecationWarning:keras_tuner")
LINE = (
    "vit_digits patch_size=4 hidden_dim=16,32 num_layers=1 num_heads=2 mlp_dim=32 pooling=gap stem=linear "
    "epochs=2 batch_size=64 subset=640 randaugment_layers=0"
)
TINY = LINE.split()


@pytest.fixture
def port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


def error_of(capsys, *arguments):
    try:
        code = main(["tune", *map(str, arguments)])
    except SystemExit as ended:  # wrong use is noticed by argparse
        code = ended.code
    assert code == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    return lines[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("no_such", "Unknown search 'no_such'. Expected one of char_names, cnn_cifar10"),
        ("no_such", "vit_photos, or with fields to vary a recipe: char_"),
        ("vit_digits depth=3", "Unknown recipe field 'depth'"),
        ("vit_digits --tuner best", "Unknown tuner 'best'. Expected one of random, bayesian"),
        ("vit_digits --trials 0", "at least 1"),
        ("vit_digits --workers 0", "at least 1"),
        ("vit_digits --workers 4096", "Expected at most"),
        ("vit_digits --objective val_f1", "'val_f1' is not logged"),
        ("vit_digits --max-latency-ratio 0.7", "Expected --relative-to"),
        ("vit_digits --relative-to vit_digits", "Expected --relative-to and a limit"),
        ("vit_digits --tuner asha epochs=2:9", "asha decides the epochs of each trial"),
        ("vit_digits optimizer=adamw,best", "Expected optimizer to be one of"),
        ("vit_digits num_layers=0:3", "Expected num_layers from 1"),
        ("vit_digits conv_dropout_rate=0.1,0.2", "does not accept conv_dropout_rate"),
        ("vit_digits window=2:9", "Recipe field 'window' is for text alone"),
        ("vit_digits loss=hinge,cross_entropy", "set label_smoothing=0"),
        ("vit_digits --objective val_loss", "Fix it, as in label_smoothing=0.1"),
        ("char_names --max-size-mb 1", "Limit its parameters"),
        ("char_names --max-flops 1000", "Limit its parameters"),
        ("char_names --max-flops-ratio 1 --relative-to char_names_gru", "Limit its parameters"),
        ("vit_digits --coordinator 8900", "Expected HOST:PORT"),
        ("vit_digits --chief 8900", "Expected HOST:PORT"),
    ],
)
def test_impossible_searches_are_refused(tmp_path, capsys, arguments, message):
    assert message in error_of(capsys, *arguments.split(), "--run-dir", tmp_path / "run")


@pytest.mark.parametrize("more", [[], ["--join", "127.0.0.1:9"]])
def test_a_folder_with_other_files_is_refused(tmp_path, capsys, more):
    (tmp_path / "thesis.txt").write_text("all my work")
    assert "is not empty" in error_of(capsys, "vit_digits", *more, "--run-dir", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_port_in_use_is_refused_before_a_search_starts(tmp_path, capsys, port):
    message = error_of(capsys, *TINY, "--coordinator", f"127.0.0.1:{port}", "--run-dir", tmp_path / "run")
    assert "port is in use" in message


def test_a_worker_without_a_coordinator_gets_an_error(tmp_path, capsys, port, monkeypatch):
    monkeypatch.setattr(remote_ledger, "FIRST_ANSWER", 0.5)
    monkeypatch.setattr(remote_ledger, "PATIENCE", 0.5)
    words = ["tune", *TINY, "--join", f"127.0.0.1:{port}", "--run-dir", str(tmp_path / "run")]
    assert main(words) == 2
    waits, message = capsys.readouterr().err.strip().splitlines()
    assert f"no coordinator answers at 127.0.0.1:{port} yet: waiting" in waits
    assert f"No coordinator of a search answers at 127.0.0.1:{port}" in message
    assert not (tmp_path / "run").exists()


def test_a_worker_of_another_search_gets_the_difference(tmp_path, capsys):
    planned = plan("vit_digits", ["epochs=3"], measure=footprint)
    oracle = build_oracle("random", planned.space, planned.objective, trials=1, seed=0)
    ledger = Ledger(oracle, Journal(tmp_path / "journal"), [], seed=0)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with serving(Coordinator(ledger, header_of(planned, 1), Display(planned.objective, 1)), address):
        message = error_of(capsys, "vit_digits", "epochs=5", "--join", address, "--run-dir", tmp_path / "run")
    assert f"The coordinator at {address} was started with another search: epochs was 3, is 5" in message


@pytest.mark.slow  # it starts the processes of a search
def test_data_that_cannot_be_loaded_are_refused_before_a_search_starts(tmp_path, capsys):
    message = error_of(capsys, "vit_digits", "data=npz:nowhere.npz", "--run-dir", tmp_path / "run")
    assert "Expected an .npz file at nowhere.npz" in message
    assert not any(tmp_path.iterdir())


OWN_BUILDER = """
import keras


def build(image_size, channels, num_classes, width: int = 4):
    {check}
    model = keras.Sequential([keras.Input((*image_size, channels)), keras.layers.Flatten()])
    model.add(keras.layers.Dense(width, "relu"))
    model.add(keras.layers.Dense(num_classes))
    return model
"""


@pytest.mark.slow  # it starts the processes of searches
def test_a_search_goes_on_after_a_builder_was_corrected(tmp_path, capfd):
    file, run = tmp_path / "my_mlp.py", tmp_path / "run"
    words = [f"model={file}:build", "width=8,16", "learning_rate=0.01", "epochs=1", "subset=320"]
    command = ["tune", "cnn_digits", *words, "--tuner", "grid", "--trials", "2", "--seeds", "0"]

    def tune(check):
        file.write_text(OWN_BUILDER.format(check=check))
        code = main([*command, "--run-dir", str(run)])
        return code, capfd.readouterr().err

    code, shown = tune("raise ValueError('wrong from the start')")
    assert code == 2 and f"{file}:build raised ValueError: wrong from the start" in shown
    assert "train       320 images (0: 32" in shown and "the search varies width\n" in shown
    assert not (run / "journal.jsonl").exists()
    code, shown = tune("if width == 16: raise ValueError('wrong for some')")
    assert code == 0 and "failed" in shown and "wrong for some" in shown
    code, shown = tune("pass")
    assert code == 0 and "wrong" not in shown
    assert "tried again, as they failed before their training: trials 0001" in shown
    with open(run / "results.csv", newline="") as results:
        assert [row["status"] for row in csv.DictReader(results)] == ["completed", "completed"]


@pytest.mark.slow
def test_a_search_ends_with_a_trained_exported_winner_and_resumes_by_the_same_command(tmp_path):
    def tune(*more):
        arguments = [*TINY, "--seeds", "1", "--max-latency-ms", "100", "--run-dir", tmp_path / "run", *more]
        command = [sys.executable, "-m", "keras_vit", "tune", *map(str, arguments)]
        environment = {**os.environ, "TF_NUM_INTRAOP_THREADS": "1"}
        return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=1200)

    done = tune("--trials", "2")
    assert done.returncode == 0, done.stderr
    assert "winner: trial" in done.stdout and "verified" in done.stdout
    place = next((tmp_path / "run").glob("winner-*"))
    summary = read_json(place / "summary.json")
    assert len(summary["runs"]) == 1 and summary["footprint"]["latency_ms"] <= 100
    assert (place / "seed-0" / "export" / "export.json").exists()
    with open(tmp_path / "run" / "results.csv", newline="") as file:
        assert [row["status"] for row in csv.DictReader(file)] == ["completed", "completed"]
    again = tune("--trials", "3")
    assert again.returncode == 0, again.stderr
    assert "2 of 2 started trials have ended" in again.stderr
    with open(tmp_path / "run" / "results.csv", newline="") as file:
        assert [row["trial"] for row in csv.DictReader(file)] == ["0000", "0001", "0002"]
