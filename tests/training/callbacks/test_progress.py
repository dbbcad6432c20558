"""The progress of a training where there is no terminal: lines, with the time left."""

import io
import re
import types

import pytest
from rich.console import Console

from keras_vit.training.callbacks import progress


@pytest.fixture
def train(monkeypatch):
    """A function that trains nothing for a number of epochs of 4 steps, and returns what was shown of two."""

    def run(epochs, patience, tracing=0.0):
        now = 0.0
        monkeypatch.setattr(progress, "PATIENCE", patience)
        monkeypatch.setattr(progress, "time", types.SimpleNamespace(monotonic=lambda: now))
        shown = io.StringIO()
        callback = progress.Progress(epochs, 8, console=Console(file=shown, emoji=False))
        callback.set_params({"steps": 4})
        for epoch in range(2):
            callback.on_epoch_begin(epoch)
            for batch in range(4):
                callback.on_train_batch_begin(batch)
                now += 0.02 + (tracing if epoch == batch == 0 else 0)
                callback.on_train_batch_end(batch)
            now += tracing if epoch == 0 else 0  # of the validation
            callback.on_epoch_end(epoch, {"loss": 1.0})
        callback.close()
        return shown.getvalue().splitlines()

    return run


def test_an_epoch_is_a_line_and_a_short_training_tells_no_time(train):
    assert train(epochs=2, patience=30) == ["epoch   1/2  loss 1.0000  0 s", "epoch   2/2  loss 1.0000  0 s"]


def test_a_long_training_tells_what_is_left(train):
    ends = [re.sub(".* 0 s, ", "", line) for line in train(epochs=3000, patience=30)]
    assert ends == ["about 4 min 0 s left", "about 4 min 0 s left"]  # of 3,000 epochs of 0.08 s


def test_the_time_that_keras_needs_to_trace_is_not_multiplied_by_the_epochs(train):
    lines = train(epochs=3000, patience=30, tracing=0.5)
    minutes = [int(*re.findall(r"about (\d+) min", line)) for line in lines]
    assert minutes == [37, 4]  # with the first step of the first epoch it would be 54, and with all of it 28


def test_a_long_epoch_says_how_far_it_is(train):
    lines = train(epochs=3000, patience=0.03)
    within = [
        line for line in lines if re.fullmatch(r"\d+% of epoch [12](, about \d+ min \d+ s left)?", line)
    ]
    assert len(within) >= 2 and all("left" in line for line in within[1:])  # unknown of the first step
    assert len(lines) == len(within) + 2
