import csv
import dataclasses
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from keras_vit import ConditionError, InputError
from keras_vit.io.model_archive import load_model
from keras_vit.training.data import decoded
from keras_vit.training.fit import fit
from keras_vit.training.recipe import ImageRecipe
from keras_vit.training.run import evaluate, train
from keras_vit.training.tasks import task_of
from keras_vit.training.tasks.images import predict_outputs

RECIPE = ImageRecipe(
    data="digits",
    variant="Pico/4",
    num_layers=1,
    pooling="gap",
    epochs=3,
    batch_size=64,
    learning_rate=3e-3,
    dropout_rate=0.1,
    crop_padding=1,
)


@pytest.fixture(scope="module")
def data():
    return task_of(RECIPE).load_data()


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory):
    """A folder and its model after a whole training, whose learning rate ends at 1e-5."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    return folder, fit(dataclasses.replace(RECIPE, final_learning_rate=1e-5), folder, data=data)


@pytest.fixture(scope="module")
def paused(data, tmp_path_factory):
    """A folder after the first epoch, and the error of a training that was started in it meanwhile."""

    class Second(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            with pytest.raises(InputError) as error:
                fit(RECIPE, folder, data=data, resume=True)
            errors.append(str(error.value))

    folder, errors = tmp_path_factory.mktemp("paused"), []
    fit(RECIPE, folder, data=data, until_epoch=1, callbacks=[Second()])
    return folder, *errors


def weights(model):
    return np.concatenate([w.ravel() for w in model.get_weights()])


def test_training_learns_and_keeps_the_best_epoch(whole, data):
    folder, model = whole
    rows = list(csv.DictReader((folder / "history.csv").open()))
    accuracies = [float(row["val_accuracy"]) for row in rows]
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"])
    best = predict_outputs(model, data.validation.images).argmax(axis=1) == data.validation.labels
    assert best.mean() == pytest.approx(max(accuracies), abs=1e-4)
    assert (folder / "labels.txt").read_text().split() == list("0123456789")


def test_the_learning_rate_reaches_its_end_with_the_last_step(whole):
    last = list(csv.DictReader((whole[0] / "history.csv").open()))[-2:]
    assert float(last[1]["learning_rate"]) == pytest.approx(1e-5, rel=1e-3)
    assert float(last[0]["learning_rate"]) > 1e-4


@pytest.mark.slow
def test_two_runs_with_one_seed_are_equal_and_another_seed_is_not(tmp_path, data):
    first, second = (fit(RECIPE, tmp_path / name, data=data) for name in "ab")
    other = fit(dataclasses.replace(RECIPE, seed=1), tmp_path / "c", data=data)
    np.testing.assert_array_equal(weights(first), weights(second))
    assert (weights(first) != weights(other)).any()


@pytest.mark.parametrize(
    "changes",
    [
        {"optimizer": "muon", "ema_momentum": 0.9},
        {"precision": "mixed_bfloat16", "flip": True, "mixup_alpha": 0.8, "cutmix_alpha": 1.0},
        {"early_stopping_patience": 1, "clip_norm": None, "randaugment_layers": 1, "erasing_rate": 0.5},
    ],
    ids=str,
)
def test_every_kind_of_recipe_trains(tmp_path, data, changes):
    model = fit(dataclasses.replace(RECIPE, epochs=1, **changes), tmp_path, data=data)
    assert np.isfinite(weights(model)).all()


def test_saved_weights_are_the_moving_average_when_there_is_one(tmp_path, data):
    # With a momentum of nearly 1 the average stays at the start, where the untrained model guesses.
    slow = fit(dataclasses.replace(RECIPE, epochs=1, ema_momentum=0.999999), tmp_path, data=data)
    start = task_of(RECIPE).build_model(data)
    assert np.abs(weights(slow) - weights(start)).max() < 1e-3


def test_a_used_folder_is_refused_and_left_alone(tmp_path, data):
    (tmp_path / "recipe.json").write_text("{}")
    with pytest.raises(InputError, match="--resume"):
        fit(RECIPE, tmp_path, data=data)
    assert [p.name for p in tmp_path.iterdir()] == ["recipe.json"]


def test_a_second_training_does_not_enter_the_folder(paused):
    assert "Another training is running in" in paused[1]


def test_a_diverging_training_is_stopped_by_name(tmp_path, data):
    hot = dataclasses.replace(
        RECIPE, learning_rate=1e6, clip_norm=None, warmup_fraction=0.0, weight_decay=1e6
    )
    with pytest.raises(ConditionError, match=r"epoch \d+, step \d+: .*nonfinite_batch.npz"):
        fit(hot, tmp_path, data=data)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"patch_size": 3}, "must divide the image"),
        ({"model": "vgg"}, "Unknown model 'vgg'"),
        ({"batch_size": 5000}, "batch"),
        ({"crop_padding": 8}, "crop_padding"),
    ],
)
def test_a_recipe_that_cannot_run_leaves_no_folder(tmp_path, data, changes, message):
    with pytest.raises(InputError, match=message):
        fit(dataclasses.replace(RECIPE, **changes), tmp_path / "run", data=data)
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_run_that_pauses_after_some_epochs_resumes_as_if_it_never_had(tmp_path, data):
    whole = fit(RECIPE, tmp_path / "whole", data=data)
    fit(RECIPE, tmp_path / "paused", data=data, until_epoch=1)
    assert len((tmp_path / "paused" / "history.csv").read_text().splitlines()) == 2
    resumed = fit(RECIPE, tmp_path / "paused", data=data, resume=True)
    np.testing.assert_array_equal(weights(resumed), weights(whole))


def test_seeds_can_share_the_splits(data):
    split = dataclasses.replace(RECIPE, seed=5, split_seed=0)
    other = task_of(dataclasses.replace(RECIPE, seed=5)).load_data()
    np.testing.assert_array_equal(task_of(split).load_data().test.images, data.test.images)
    assert not np.array_equal(other.test.images, data.test.images)


@pytest.mark.slow
def test_a_whole_run_writes_metrics_and_a_report(tmp_path):
    metrics = train(RECIPE, tmp_path / "run").metrics
    assert 0.1 < metrics["accuracy"] <= 1
    assert (tmp_path / "run" / "report" / "index.html").is_file()
    again = evaluate(tmp_path / "run")
    assert again["accuracy"] == metrics["accuracy"]
    assert load_model(tmp_path / "run" / "model.keras").count_params() == metrics["parameters"]
    with pytest.raises(InputError, match="epochs=2 .was 3"):
        train(dataclasses.replace(RECIPE, epochs=2), tmp_path / "run", resume=True)


def test_a_run_does_not_go_on_with_other_data(paused, data):
    folder, _ = paused
    renamed = dataclasses.replace(data, label_names=tuple("9876543210"))
    with pytest.raises(InputError, match="other classes"):
        fit(RECIPE, folder, data=renamed, resume=True)
    assert (folder / "labels.txt").read_text().split() == list("0123456789")
    for name in ("train", "validation"):  # by which the best epoch is chosen
        split = getattr(data, name)
        images = split.images.copy()
        images[-1, 0, 0] ^= 1
        changed = dataclasses.replace(data, **{name: dataclasses.replace(split, images=images)})
        with pytest.raises(InputError, match="differ from those that the run started with"):
            fit(RECIPE, folder, data=changed, resume=True)


@pytest.mark.parametrize("split", ["train", "validation"])
def test_a_file_that_disappears_during_a_training_is_one_line_and_the_training_can_go_on(
    split, tmp_path, monkeypatch
):
    monkeypatch.setenv("KERAS_VIT_CACHE", "off")
    monkeypatch.setattr(decoded, "IN_MEMORY", 0)
    for number in range(40):
        place = tmp_path / "photos" / "ab"[number % 2] / f"{number}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 256, (16, 16, 3), "uint8")
        Image.fromarray(pixels).save(place)
    recipe = ImageRecipe(
        data=f"folder:{tmp_path / 'photos'}", image_size=16, model="linear", epochs=20, batch_size=8
    )
    (lost, *_) = task_of(recipe).load_data().splits[split].names()
    content = Path(lost).read_bytes()

    class Lose(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            Path(lost).unlink(missing_ok=True)

    with pytest.raises(InputError) as error:
        fit(recipe, tmp_path / "run", callbacks=[Lose()])
    assert str(error.value).startswith(f"Expected an image file at {lost}, found none.")
    assert str(error.value).endswith("restore the file, and continue with resume=True (--resume).")
    Path(lost).write_bytes(content)
    fit(recipe, tmp_path / "run", resume=True)
    assert len((tmp_path / "run" / "history.csv").read_text().splitlines()) == 21
