import csv
import dataclasses
import importlib.util
import json
import os
import subprocess
import sys

import numpy as np
import pytest

from keras_vit import InputError
from keras_vit.io.model_archive import load_model
from keras_vit.training.fit import fit
from keras_vit.training.recipe import TextRecipe
from keras_vit.training.run import evaluate, train
from keras_vit.training.tasks import task_of
from keras_vit.training.text.run import generate_from_run
from keras_vit.training.text.text_metrics import text_metrics

RECIPE = TextRecipe(
    data="names",
    lowercase=True,
    model="char_rnn",
    cell="gru",
    hidden_dim=32,
    dropout_rate=0.1,
    epochs=2,
    batch_size=64,
    learning_rate=1e-2,
    sample_every=10,
)
RUNNING = {"lines": False, "lowercase": True, "window": 24, "batch_size": 32, "sample_every": None}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "names"
    return folder, train(RECIPE, folder).metrics


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    words = ["the", "quick", "fox", "jumps", "over", "a", "lazy", "dog", "and", "sleeps"]
    path = tmp_path_factory.mktemp("texts") / "story.txt"
    path.write_text(" ".join(np.random.default_rng(0).choice(words, 1500)))
    return f"text:{path}"


def weights(model):
    return np.concatenate([w.ravel() for w in model.get_weights()])


def test_a_run_on_names_learns_and_writes_what_its_folder_promises(run):
    folder, metrics = run
    rows = list(csv.DictReader((folder / "history.csv").open()))
    assert float(rows[1]["val_loss"]) < float(rows[0]["val_loss"]) < np.log(27)
    assert metrics["cross_entropy"] == pytest.approx(float(rows[1]["val_loss"]), abs=0.2)
    assert metrics["perplexity"] == pytest.approx(2 ** metrics["bits_per_character"])
    assert metrics["bigram"]["cross_entropy"] < np.log(27)
    assert metrics["novelty"]["num_samples"] == 1000
    assert json.loads((folder / "vocabulary.json").read_text())["characters"][0] == "\n"
    assert [row["step"] for row in json.loads((folder / "samples.json").read_text())] == [10, 20, 30]
    page = (folder / "report" / "index.html").read_text()
    for picture in ("training_curves", "positions", "following"):
        assert f'src="{picture}.png"' in page and (folder / "report" / f"{picture}.png").stat().st_size > 5000
    assert "Bits per character" in page and "randaugment" not in page


def test_a_model_that_is_no_better_than_pairs_of_characters_is_told(run):
    task, metrics = task_of(RECIPE), {"cross_entropy": 2.0, "bigram": {"cross_entropy": 2.25}}
    assert task.place(metrics) == []
    (line,) = task.place({**metrics, "cross_entropy": 2.5})
    assert line.startswith("hint: no better than counting pairs of characters (2.2500 nats): train for more")
    assert bool(task.place(run[1])) == (run[1]["cross_entropy"] >= run[1]["bigram"]["cross_entropy"])


def test_validation_loss_is_nats_per_character_of_the_whole_split(run):
    folder, _ = run
    last = list(csv.DictReader((folder / "history.csv").open()))[-1]
    task = task_of(RECIPE)
    data = task.load_data()
    figures = text_metrics(
        load_model(folder / "model.keras"), dataclasses.replace(data, test=data.validation)
    )
    assert figures["cross_entropy"] == pytest.approx(float(last["val_loss"]), rel=1e-4)
    assert figures["accuracy"] == pytest.approx(float(last["val_accuracy"]), rel=1e-4)


def test_evaluation_repeats_the_figures_and_generation_its_texts(run):
    folder, metrics = run
    assert evaluate(folder) == metrics
    samples, figures = generate_from_run(folder, 4, seed=5, prefix="tri")
    assert samples == generate_from_run(folder, 4, seed=5, prefix="tri")[0]
    assert all(sample.startswith("tri") for sample in samples) and figures["num_samples"] == 4


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param(
            {"model": "char_transformer", "cell": None, "num_layers": 1, "num_heads": 2, "optimizer": "muon"},
            id="names transformer",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            {"cell": "simple", "optimizer": "sgd", "clip_norm": None, "clip_value": 5.0, "embedding_dim": 8},
            id="names simple",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            {"cell": "lstm", "num_layers": 2, "unknown": "unk", "lowercase": False, "ema_momentum": 0.9},
            id="names lstm",
            marks=pytest.mark.slow,
        ),
        pytest.param({"data": "story", **RUNNING}, id="running"),
        pytest.param({"data": "story", **RUNNING, "carry_state": True, "cell": "lstm"}, id="carried"),
        pytest.param(
            {"data": "story", **RUNNING, "model": "char_transformer", "cell": None, "num_heads": 2},
            id="running transformer",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_every_kind_of_text_run_trains_and_is_evaluated(tmp_path, story, changes, monkeypatch):
    monkeypatch.setattr("keras_vit.training.tasks.language_modelling.NUM_SAMPLES", 20)
    changes = {**changes, "data": story if changes.get("data") == "story" else "names"}
    metrics = train(dataclasses.replace(RECIPE, epochs=1, **changes), tmp_path / "run").metrics
    assert np.isfinite(metrics["cross_entropy"])
    assert evaluate(tmp_path / "run")["cross_entropy"] == metrics["cross_entropy"]


def test_a_run_stopped_within_an_epoch_resumes_with_its_carried_state_as_if_never_stopped(
    tmp_path, story, fit_in_part
):
    recipe = dataclasses.replace(RECIPE, data=story, **RUNNING, carry_state=True, steps_per_execution=1)
    whole = fit(recipe, tmp_path / "whole")
    fit_in_part(recipe, tmp_path / "parts", 4, checkpoint_every="3")
    resumed = fit(recipe, tmp_path / "parts", resume=True)
    np.testing.assert_array_equal(weights(resumed), weights(whole))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bidirectional": True}, "backward half reads the character that it should predict"),
        ({"label_smoothing": 0.1}, "field 'label_smoothing'.* Model 'char_rnn' accepts cell, hidden_dim"),
        ({"flip": True, "image_size": 32}, "Recipe field 'flip' is for images alone"),
        ({"patch_size": 4}, "Unknown recipe field 'patch_size'"),
        ({"carry_state": True}, "lines=false"),
        ({"lines": False, "split_seed": 3}, "lines=false has no split_seed"),
        ({"model": "char_transformer"}, "'char_transformer' does not accept cell"),
        ({"data": "digits"}, "names or text:PATH"),
        ({"batch_size": 5000}, "5000 training lines"),
        ({"cell": "rnn"}, "simple, lstm, gru"),
    ],
)
def test_a_recipe_that_cannot_run_leaves_no_folder(tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        fit(dataclasses.replace(RECIPE, **changes), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_another_text_than_a_run_was_trained_on_is_refused(tmp_path):
    lines = [a + b for a in "abcdef" for b in "abcdef"]
    path = tmp_path / "lines.txt"
    path.write_text("\n".join(lines))
    recipe = dataclasses.replace(RECIPE, data=f"text:{path}", epochs=1, batch_size=8, sample_every=None)
    fit(recipe, tmp_path / "run")
    path.write_text("\n".join(line + "z" for line in lines))
    with pytest.raises(InputError, match="another vocabulary"):
        evaluate(tmp_path / "run")
    samples, figures = generate_from_run(tmp_path / "run", 2)
    assert len(samples) == 2 and figures is not None
    path.unlink()
    assert generate_from_run(tmp_path / "run", 2)[1] is None


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="jax is not installed")
def test_text_is_trained_under_jax_too_with_carried_state_and_samples(tmp_path, story):
    program = (
        "import dataclasses, sys\n"
        "sys.modules['tensorflow'] = None\n"
        "from keras_vit.training.recipe import TextRecipe\n"
        "from keras_vit.training.run import train\n"
        "recipe = TextRecipe(data=sys.argv[1], lines=False, window=24, model='char_rnn', cell='gru',"
        " hidden_dim=16, batch_size=32, epochs=2, carry_state=True, sample_every=5)\n"
        "print(train(recipe, sys.argv[2]).metrics['backend'])\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program, story, str(tmp_path / "run")],
        env={**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
    )
    assert result.stdout.strip() == "jax", result.stderr[-2000:]
    assert "step 7" in result.stderr and (tmp_path / "run" / "report" / "index.html").is_file()
