import csv
import dataclasses
import errno
import os
import shutil
import signal
import warnings

import keras
import numpy as np
import pytest

from keras_vit import InputError
from keras_vit.errors import Notice
from keras_vit.training import evaluate, train
from keras_vit.training.checkpoint import Interrupted, saved_position
from keras_vit.training.checkpoint.state_file import read_state
from keras_vit.training.fit import fit
from keras_vit.training.recipe import ImageRecipe
from keras_vit.training.tasks import task_of

# Every kind of state: dropout, drop path, an average of weights, early stopping, mixed images.
RECIPE = ImageRecipe(
    data="digits",
    variant="Pico/4",
    num_layers=1,
    hidden_dim=16,
    num_heads=2,
    mlp_dim=32,
    pooling="gap",
    epochs=3,
    batch_size=64,
    learning_rate=3e-3,
    dropout_rate=0.1,
    drop_path_rate=0.2,
    ema_momentum=0.9,
    early_stopping_patience=2,
    mixup_alpha=0.4,
    cutmix_alpha=0.4,
    crop_padding=1,
    steps_per_execution=2,
)


slow = pytest.mark.slow


class Killed(BaseException):
    pass


class KillAfter(keras.callbacks.Callback):
    """Ends a training as a power failure would: nothing more is saved."""

    def __init__(self, epoch, batch):
        super().__init__()
        self.at = (epoch, batch)

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch) >= self.at:
            raise Killed


@pytest.fixture(scope="module")
def data():
    return task_of(RECIPE).load_data()


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory):
    path = tmp_path_factory.mktemp("whole")
    fit(RECIPE, path, data=data)
    return path


def last_state(run):
    arrays, document = read_state(sorted((run / "state").glob("*.state"))[-1])
    return arrays, document


def history(run):
    return [list(row.values())[:-1] for row in csv.DictReader((run / "history.csv").open())]


def assert_same_end(run, whole):
    (arrays, document), (expected, expected_document) = last_state(run), last_state(whole)
    assert len(arrays) == len(expected) > 30
    for array, value in zip(arrays, expected, strict=True):
        np.testing.assert_array_equal(array, value)
    assert history(run) == history(whole)
    assert (document["epoch"], document["step"]) == (expected_document["epoch"], 0)


def send(number):
    class Send(keras.callbacks.Callback):
        """Sends this process a signal in the second epoch, in a step or in validation."""

        def __init__(self, hook):
            super().__init__()
            self.epochs = 0
            setattr(self, hook, self.send)

        def on_epoch_begin(self, epoch, logs=None):
            self.epoch = epoch

        def send(self, batch, logs=None):
            if self.epoch == 1:
                os.kill(os.getpid(), number)

    return Send


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "hook", "place", "position"),
    [
        pytest.param("SIGTERM", "on_train_batch_begin", "in epoch 2 after step 2", (1, 2), marks=slow),
        ("SIGINT", "on_test_batch_begin", "in epoch 2 after step 22", (1, 22)),
        pytest.param("SIGTERM", "on_epoch_end", "after epoch 2", (2, 0), marks=slow),
    ],
)
def test_a_signal_saves_the_state_from_which_the_run_resumes(
    tmp_path, data, whole, number, hook, place, position
):
    number = getattr(signal, number)
    handlers = [signal.getsignal(s) for s in (signal.SIGTERM, signal.SIGINT)]
    with pytest.raises(Interrupted, match=f"interrupted {place}, saved in ") as caught:
        fit(RECIPE, tmp_path, data=data, callbacks=[send(number)(hook)])
    assert caught.value.exit_code == 128 + number
    assert [signal.getsignal(s) for s in (signal.SIGTERM, signal.SIGINT)] == handlers
    document = last_state(tmp_path)[1]
    assert (document["epoch"], document["step"]) == position
    fit(RECIPE, tmp_path, data=data, resume=True)
    assert_same_end(tmp_path, whole)
    assert not list(
        (tmp_path / "state").glob("*.damaged")
    )  # it resumed from that state, not from an older one


def test_a_damaged_state_falls_back_to_the_one_before_with_a_message(tmp_path, data, whole, capsys):
    shutil.copytree(whole, tmp_path, dirs_exist_ok=True)
    *_, older, newest = sorted((tmp_path / "state").glob("*.state"))
    newest.write_bytes(newest.read_bytes()[:-1])
    fit(RECIPE, tmp_path, data=data, resume=True)
    assert newest.name in capsys.readouterr().err
    assert_same_end(tmp_path, whole)
    assert newest.with_suffix(".damaged").exists()


def test_a_run_with_only_damaged_states_is_refused(tmp_path, data, whole):
    shutil.copytree(whole, tmp_path, dirs_exist_ok=True)
    for file in (tmp_path / "state").glob("*.state"):
        file.write_bytes(b"")
    with pytest.raises(InputError, match="all are damaged"):
        fit(RECIPE, tmp_path, data=data, resume=True)


def test_a_full_disk_gives_one_error_and_leaves_the_last_good_state(tmp_path, data, whole, monkeypatch):
    shutil.copytree(whole, tmp_path, dirs_exist_ok=True)
    newest = sorted((tmp_path / "state").glob("*.state"))[-1]
    newest.unlink()

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch, pytest.raises(InputError, match="No space left"):
        patch.setattr("os.fsync", full)
        fit(RECIPE, tmp_path, data=data, resume=True)
    fit(RECIPE, tmp_path, data=data, resume=True)
    assert_same_end(tmp_path, whole)


@slow
def test_a_run_ended_by_early_stopping_is_not_trained_further(tmp_path, data):
    stopping = dataclasses.replace(RECIPE, early_stopping_patience=1, learning_rate=1e-12)
    fit(stopping, tmp_path, data=data)
    ended = last_state(tmp_path)[1]
    assert ended["stopped"] and ended["epoch"] == 2
    fit(stopping, tmp_path, data=data, resume=True)
    assert last_state(tmp_path)[1] == ended


def test_a_run_killed_within_epochs_resumes_bit_identically(tmp_path, data, whole):
    with pytest.raises(Killed):
        fit(RECIPE, tmp_path, data=data, checkpoint_every="4", callbacks=[KillAfter(0, 9)])
    with pytest.raises(Killed):
        fit(RECIPE, tmp_path, data=data, resume=True, callbacks=[KillAfter(2, 1)])
    assert last_state(tmp_path)[1]["epoch"] == 2
    fit(RECIPE, tmp_path, data=data, resume=True)
    assert_same_end(tmp_path, whole)


def test_an_interrupted_run_is_evaluated_with_a_notice_and_can_be_continued(tmp_path, data, whole):
    with pytest.raises(Killed):
        fit(RECIPE, tmp_path, data=data, callbacks=[KillAfter(2, 0)])
    with pytest.warns(Notice, match="interrupted after 2 of 3 epochs, and the model is that of the best"):
        evaluate(tmp_path, data=data)
    assert "2 of 3" in (tmp_path / "report" / "index.html").read_text()
    with pytest.raises(InputError, match="epochs=2 .was 3.* Without it, evaluate and export use the best"):
        train(RECIPE.replace(epochs=2), tmp_path, data=data, resume=True)
    with pytest.raises(InputError, match="epochs=9 .was 3"):  # not: "ended by early stopping"
        train(RECIPE.replace(epochs=9), tmp_path, data=data, resume=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error", Notice)
        train(RECIPE, tmp_path, data=data, resume=True)
        evaluate(tmp_path, data=data)
    assert_same_end(tmp_path, whole)


def test_the_newest_readable_state_says_how_far_a_run_is(tmp_path, whole):
    assert saved_position(tmp_path) is None
    shutil.copytree(whole / "state", tmp_path, dirs_exist_ok=True)
    newest = saved_position(tmp_path)
    assert newest.epoch == last_state(whole)[1]["epoch"]
    sorted(tmp_path.glob("*.state"))[-1].write_bytes(b"damaged")
    assert saved_position(tmp_path).epoch == newest.epoch - 1
