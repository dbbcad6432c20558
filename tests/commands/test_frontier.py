"""keras-vit frontier."""

import json

import numpy as np
import pytest

from keras_vit.__main__ import main
from keras_vit.export.verification.record import kept_by_auto
from keras_vit.training import ImageRecipe, TextRecipe, train
from keras_vit.training.recipe_file import write_recipe

RECIPE = ImageRecipe(data="digits", model="linear", epochs=1)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return train(RECIPE, tmp_path_factory.mktemp("runs") / "linear").folder


def refused(capsys, *words):
    capsys.readouterr()  # of trainings before
    assert main(["frontier", *map(str, words)]) == 2
    error = capsys.readouterr().err.strip().splitlines()
    assert len(error) == 1, error
    return error[0]


def test_models_that_cannot_be_compared_are_refused_in_one_line(run, tmp_path, capsys):
    out = ("--out", tmp_path / "out")
    assert "no_recipe" in refused(capsys, run.path, "no_recipe", *out)
    assert "Two models are called linear" in refused(capsys, run.path, run.path, *out)
    other = train(RECIPE.replace(subset=200, split_seed=3, test_fraction=0.3), tmp_path / "other").folder
    assert "Expected runs on the same images and labels, received linear: " in refused(
        capsys, run.path, other.path, *out
    )
    text = TextRecipe(model="char_rnn", cell="simple", hidden_dim=8, embedding_dim=4, epochs=1)
    names = train(text, tmp_path / "names").folder
    assert "is a run of text" in refused(capsys, names.path, *out)
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_runs_and_recipes_are_exported_and_compared(run, tmp_path, capsys):
    write_recipe(tmp_path / "mlp.py", RECIPE.replace(model="mlp", hidden_dims=(32,)), "An MLP.")
    words = ["frontier", str(run.path), str(tmp_path / "mlp.py"), "--out", str(tmp_path / "out")]
    assert main([*words, "--max-drop", "5", "--json", str(tmp_path / "rows.json")]) == 0
    rows = json.loads((tmp_path / "rows.json").read_text())
    assert [(row["name"], row["family"], row["parameters"]) for row in rows] == [
        ("linear", "linear", 650),
        ("mlp", "mlp", 2_410),
    ]
    assert all(row["latency_ms"] > 0 and row["score"] >= row["model_score"] - 0.05 for row in rows)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "runs", "frontier.md", "frontier.csv", "frontier.png"
    }  # fmt: skip
    exported = run.export / "export.json"
    before = exported.stat().st_mtime_ns
    assert main([*words, "--max-drop", "5"]) == 0  # nothing is trained or exported again
    assert exported.stat().st_mtime_ns == before
    assert kept_by_auto(run.export, run.model, 5.0)["file"] == f"model_{rows[0]['variant']}.tflite"
    assert kept_by_auto(run.export, run.model, 1.0) is None
    (run.export / f"model_{rows[0]['variant']}.tflite").write_bytes(b"another")
    assert kept_by_auto(run.export, run.model, 5.0) is None


@pytest.mark.slow
def test_models_of_numbers_are_compared_by_what_they_explain(tmp_path):
    brightness = np.arange(120) * 2.0
    images = np.broadcast_to(brightness[:, None, None, None], (120, 8, 8, 3)).astype("uint8")
    np.savez(
        tmp_path / "grey.npz", x_train=images, y_train=brightness, x_test=images[::3], y_test=brightness[::3]
    )
    recipe = ImageRecipe(
        data=f"npz:{tmp_path / 'grey.npz'}",
        label_kind="numbers",
        model="linear",
        epochs=40,
        learning_rate=0.1,
        weight_decay=0,
        batch_size=16,
    )
    run = train(recipe, tmp_path / "linear").folder
    words = ["frontier", str(run.path), "--out", str(tmp_path / "out"), "--json", str(tmp_path / "rows.json")]
    assert main([*words, "--max-drop", "5"]) == 0
    (row,) = json.loads((tmp_path / "rows.json").read_text())
    assert 0.5 < row["model_score"] <= 1 and abs(row["score"] - row["model_score"]) <= 0.05
    assert (
        "| explained variance | file | its explained variance |" in (tmp_path / "out/frontier.md").read_text()
    )
