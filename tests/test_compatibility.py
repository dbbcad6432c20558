"""Runs written by version 0.1.0 are read, and interrupted ones continue to where they would have ended."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_vit.__main__ import main

RUNS = Path(__file__).parent / "data" / "version_0_1_0"
TRAININGS = {
    "digits": ["vit_digits", "hidden_dim=8", "num_heads=2", "mlp_dim=16", "num_layers=1", "subset=200"]
    + ["epochs=4"],
    "names": ["char_names_gru", "hidden_dim=8", "embedding_dim=4", "sample_every=none", "epochs=2"],
}


def history(run):
    with open(run / "history.csv", encoding="utf-8") as file:
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]


@pytest.fixture(params=TRAININGS)
def kind(request):
    return request.param


@pytest.mark.slow
def test_an_interrupted_run_resumes(kind, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(RUNS / f"{kind}_interrupted", run)
    assert main(["train", *TRAININGS[kind], "--run-dir", str(run), "--resume"]) == 0
    resumed, whole = history(run), history(RUNS / f"{kind}_finished")
    assert len(resumed) == len(whole)
    for row, expected in zip(resumed, whole, strict=True):
        # Another CPU rounds otherwise: far below what another order or mask would change.
        assert {k: row[k] for k in ("loss", "val_loss")} == pytest.approx(
            {k: expected[k] for k in ("loss", "val_loss")}, rel=1e-4
        )


def test_a_finished_run_is_evaluated_with_the_same_figures(kind, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(RUNS / f"{kind}_finished", run)
    before = json.loads((run / "metrics.json").read_text())
    assert main(["evaluate", str(run)]) == 0
    after = json.loads((run / "metrics.json").read_text())
    key = {"digits": "accuracy", "names": "cross_entropy"}[kind]
    assert after[key] == pytest.approx(before[key], rel=1e-4)


def test_a_finished_run_predicts(tmp_path, capsys):
    image = np.random.default_rng(0).integers(0, 256, (8, 8), dtype="uint8")
    Image.fromarray(image).save(tmp_path / "digit.png")
    assert main(["predict", str(RUNS / "digits_finished"), str(tmp_path / "digit.png")]) == 0
    words = capsys.readouterr().out.split()
    start = words.index(str(tmp_path / "digit.png"))
    classes, probabilities = words[start + 1 : start + 7 : 2], words[start + 2 : start + 7 : 2]
    assert classes == ["0", "1", "9"]
    assert [float(p) for p in probabilities] == pytest.approx([0.1674, 0.1226, 0.1173], abs=1.1e-4)


def test_a_finished_run_generates(capsys):
    assert main(["generate", str(RUNS / "names_finished"), "--num", "3"]) == 0
    assert capsys.readouterr().out.split() == ["kuok", "gh", "wsurisus"]
