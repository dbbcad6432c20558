import csv
import dataclasses
import json
import shutil

import numpy as np
import pytest

from keras_vit import InputError
from keras_vit.models import char_seq2seq
from keras_vit.training import (
    PairRecipe,
    TextRecipe,
    answer,
    cross_validate,
    evaluate,
    generate,
    train,
)
from keras_vit.training.fit import fit
from keras_vit.training.recipe import override
from keras_vit.training.recipe_file import load_recipe, read_recipe, write_recipe
from keras_vit.training.tasks import task_of
from keras_vit.training.text.pair_report import attention_matrix

RECIPE = PairRecipe(
    data="spelled_numbers", num_pairs=200, hidden_dim=16, embedding_dim=8, epochs=2, batch_size=32,
    learning_rate=1e-2, dropout_rate=0.1,
)  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "numbers"
    return folder, train(RECIPE, folder)


def weights(model):
    return np.concatenate([w.ravel() for w in model.get_weights()])


def test_a_run_learns_and_writes_what_its_folder_promises(run):
    folder, found = run
    metrics, rows = found.metrics, list(csv.DictReader((folder / "history.csv").open()))
    assert float(rows[1]["val_loss"]) < float(rows[0]["val_loss"])
    assert metrics == json.loads((folder / "metrics.json").read_text())
    assert metrics["num_pairs"] == len(found.data.test) == 20
    low, high = metrics["exact_match_interval"]
    assert 0 <= low <= metrics["exact_match"] <= high < 1
    assert metrics["validation"]["num_pairs"] == len(found.data.validation)
    page = (folder / "report" / "index.html").read_text()
    for picture in ("training_curves", "attention"):
        assert f'src="{picture}.png"' in page and (folder / "report" / f"{picture}.png").stat().st_size > 5000
    assert "Wrong answers" in page and metrics["examples"]["wrong"][0]["source"] in page
    assert "no target is in two splits" in page


def test_exact_match_is_of_what_the_model_writes_by_itself(run):
    folder, found = run
    sources, targets = zip(*found.data.test, strict=True)
    answers = answer(folder, sources)
    right = np.mean([a == t for a, t in zip(answers, targets, strict=True)])
    assert found.metrics["exact_match"] == right
    wrong = found.metrics["examples"]["wrong"]
    assert [row["answer"] for row in wrong] == [a for a, t in zip(answers, targets, strict=True) if a != t]


def test_answers_that_are_all_wrong_are_told(run):
    metrics = {**run[1].metrics, "exact_match": 0.0}
    assert task_of(RECIPE).place(metrics)[1].startswith("hint: no target was written without a fault: train")
    assert len(task_of(RECIPE).place({**metrics, "exact_match": 0.1})) == 1


def test_validation_loss_is_nats_per_character(run):
    folder, found = run
    (inputs, targets, mask) = task_of(RECIPE).held_out(found.data)
    logits = found.model.predict(list(inputs), verbose=0).astype("float64")
    log_sum = np.log(np.exp(logits).sum(axis=-1))
    losses = log_sum - np.take_along_axis(logits, targets[..., None], axis=2)[..., 0]
    best = min(float(row["val_loss"]) for row in csv.DictReader((folder / "history.csv").open()))
    assert losses[mask > 0].mean() == pytest.approx(best, rel=1e-4)


def test_evaluation_repeats_the_figures(run):
    folder, found = run
    assert evaluate(folder) == found.metrics
    source, target = found.data.test[0]
    shares = attention_matrix(found.model, found.data, source, target)
    assert shares.shape == (len(target) + 1, len(source))
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-5)


@pytest.mark.slow
def test_a_run_stopped_within_an_epoch_resumes_as_if_never_stopped(tmp_path, fit_in_part):
    recipe = RECIPE.replace(steps_per_execution=1, cell="simple", attention="dot", num_pairs=130)
    whole = fit(recipe, tmp_path / "whole")
    fit_in_part(recipe, tmp_path / "parts", 1, checkpoint_every="1")
    resumed = fit(recipe, tmp_path / "parts", resume=True)
    np.testing.assert_array_equal(weights(resumed), weights(whole))


def test_pairs_of_a_file_train_with_unknown_characters(tmp_path):
    rows = [f"{chr(97 + n % 26)}{chr(0x4E00 + n)},{n % 7}" for n in range(60)]
    (tmp_path / "pairs.csv").write_text("\n".join(["source,target", *rows]), encoding="utf-8")
    recipe = PairRecipe(
        data=f"pairs:{tmp_path}/pairs.csv", unknown="unk", cell="simple", attention="dot", hidden_dim=8,
        epochs=1, batch_size=8,
    )  # fmt: skip
    metrics = train(recipe, tmp_path / "run").metrics
    assert metrics["data"] == "pairs:pairs.csv" and np.isfinite(metrics["cross_entropy"])
    assert len(answer(tmp_path / "run", ["q\N{SNOWMAN}"])) == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"distill": "x"}, "'distill' is for images alone"),
        ({"window": 3}, "'window' is for text alone"),
        ({"model": "char_rnn"}, "Expected model=char_seq2seq.* received 'char_rnn'"),
        ({"model": "os:getcwd"}, "Expected model=char_seq2seq.* received 'os:getcwd'"),
        ({"attention": "both"}, "additive, dot"),
        ({"data": "names"}, "num_pairs"),
        ({"data": "names", "num_pairs": 10_000}, "Expected dates, spelled_numbers or pairs:FILE"),
        ({"batch_size": 5000}, "5000 training pairs"),
        ({"source_length": 3}, "source_length"),
    ],
)
def test_a_recipe_that_cannot_run_leaves_no_folder(tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        fit(dataclasses.replace(RECIPE, **changes), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_recipes_are_read_back(run, tmp_path):
    folder, _ = run
    assert load_recipe(folder / "recipe.json") == RECIPE
    write_recipe(tmp_path / "own.py", RECIPE, "Own.")
    assert read_recipe(str(tmp_path / "own.py")) == RECIPE
    dates = read_recipe("seq2seq_dates")
    assert override(dates, ["cell=lstm", "num_pairs=500"]).cell == "lstm"
    fields = json.loads((folder / "recipe.json").read_text())
    fields["recipe"]["flip"] = True
    (tmp_path / "recipe.json").write_text(json.dumps(fields))
    with pytest.raises(InputError, match="fields that no recipe has: flip"):
        load_recipe(tmp_path / "recipe.json")


def test_what_is_for_other_kinds_is_refused(run, tmp_path):
    folder, _ = run
    with pytest.raises(InputError, match="Expected a run on text, but .* pairs of texts"):
        generate(folder)
    with pytest.raises(InputError, match="images"):
        cross_validate(RECIPE, tmp_path / "folds", folds=2)
    with pytest.raises(InputError, match="precision and unknown are for images"):
        evaluate(folder, precision=0.9)
    with pytest.raises(InputError, match="at most .* characters"):
        answer(folder, ["nine " * 40])
    with pytest.raises(InputError, match="not seen"):
        answer(folder, ["Ω"])
    fit(TextRecipe(data="names", lowercase=True, hidden_dim=8, epochs=1), tmp_path / "names")
    with pytest.raises(InputError, match="Expected a run on pairs of texts, but .* was trained on text"):
        answer(tmp_path / "names", ["a"])


def test_a_model_of_other_pairs_is_no_model_of_the_run(run, tmp_path):
    folder, found = run
    shutil.copytree(folder, tmp_path / "run")
    sizes = {"source_length": 9, "target_length": 3, "vocabulary_size": len(found.data.vocabulary)}
    char_seq2seq(hidden_dim=8, **sizes).save(tmp_path / "run" / "model.keras")
    with pytest.raises(InputError, match="Put the run's own model there"):
        evaluate(tmp_path / "run")
    char_seq2seq(hidden_dim=8, vocabulary_size=5).save(tmp_path / "run" / "model.keras")
    with pytest.raises(InputError, match="Put the run's own files there"):
        answer(tmp_path / "run", ["one"])


@pytest.mark.slow
def test_the_recipe_of_dates_reaches_98_percent(tmp_path):
    metrics = train(read_recipe("seq2seq_dates"), tmp_path / "run").metrics
    assert metrics["exact_match"] >= 0.98 and metrics["validation"]["exact_match"] >= 0.97
