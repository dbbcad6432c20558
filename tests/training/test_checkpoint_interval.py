import time

import pytest

from keras_vit import InputError
from keras_vit.training.checkpoint_interval import CheckpointInterval


@pytest.mark.parametrize(
    ("text", "interval"),
    [
        ("500", (500, None)),
        ("30s", (None, 30)),
        ("1.5m", (None, 90)),
        ("2h", (None, 7200)),
        (None, (None, None)),
    ],
)
def test_steps_and_times_are_told_apart(text, interval):
    assert CheckpointInterval.parse(text) == CheckpointInterval(*interval)


@pytest.mark.parametrize("text", ["0", "0s", "-5", "1.5", "ten", "", "5 d", "nan", "1e3", "5m5s"])
def test_other_text_is_refused(text):
    with pytest.raises(InputError, match="--checkpoint-every"):
        CheckpointInterval.parse(text)


def test_it_is_due_after_that_many_steps_or_seconds_and_never_without_either():
    now = time.monotonic()
    assert CheckpointInterval(steps=4).is_due(4, now) and not CheckpointInterval(steps=4).is_due(3, now)
    assert CheckpointInterval(seconds=5).is_due(1, now - 6)
    assert not CheckpointInterval(seconds=5).is_due(10**6, now)
    assert not CheckpointInterval().is_due(10**6, 0)
