"""The progress of a training where there is no terminal: lines, with the time left."""

import io
import re
import time

import pytest
from rich.console import Console

from keras_vit.training.callbacks import progress


@pytest.fixture
def train(monkeypatch):
    """A function that trains nothing for a number of epochs of 4 steps, and returns what was shown of two."""

    def run(epochs, patience):
        monkeypatch.setattr(progress, "PATIENCE", patience)
        shown = io.StringIO()
        callback = progress.Progress(epochs, 8, console=Console(file=shown, emoji=False))
        callback.set_params({"steps": 4})
        for epoch in range(2):
            callback.on_epoch_begin(epoch)
            for batch in range(4):
                callback.on_train_batch_begin(batch)
                time.sleep(0.02)
                callback.on_train_batch_end(batch)
            callback.on_epoch_end(epoch, {"loss": 1.0})
        callback.close()
        return shown.getvalue().splitlines()

    return run


def test_an_epoch_is_a_line_and_a_short_training_tells_no_time(train):
    assert train(epochs=2, patience=30) == ["epoch   1/2  loss 1.0000  0 s", "epoch   2/2  loss 1.0000  0 s"]


def test_a_long_training_tells_what_is_left(train):
    for line in train(epochs=3000, patience=30):
        minutes = re.fullmatch(r"epoch   \d/3000  loss 1.0000  0 s, about (\d+) min \d+ s left", line)
        assert 3 <= int(minutes[1]) < 30


def test_a_long_epoch_says_how_far_it_is(train):
    lines = train(epochs=3000, patience=0.03)
    within = [re.fullmatch(r"(\d+)% of epoch [12], about \d+ min \d+ s left", line) for line in lines]
    assert any(within) and all(
        match or line.startswith("epoch") for match, line in zip(within, lines, strict=True)
    )
