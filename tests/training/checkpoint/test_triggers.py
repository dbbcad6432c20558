import os
import signal
import subprocess
import sys
import time

import pytest

from keras_vit import InputError
from keras_vit.training.checkpoint import CheckpointInterval, Interrupted, Interruption


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
def test_an_interval_is_read_as_steps_or_as_a_time(text, interval):
    assert CheckpointInterval.parse(text) == CheckpointInterval(*interval)


@pytest.mark.parametrize("text", ["0", "0s", "-5", "1.5", "ten", "", "5 d", "nan", "1e3", "5m5s"])
def test_an_interval_of_any_other_form_is_refused(text):
    with pytest.raises(InputError, match="--checkpoint-every"):
        CheckpointInterval.parse(text)


def test_saving_is_due_after_the_interval_and_never_without_one():
    now = time.monotonic()
    assert CheckpointInterval(steps=4).is_due(4, now) and not CheckpointInterval(steps=4).is_due(3, now)
    assert CheckpointInterval(seconds=5).is_due(1, now - 6)
    assert not CheckpointInterval(seconds=5).is_due(10**6, now)
    assert not CheckpointInterval().is_due(10**6, 0)


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_just_before_the_end_is_not_lost(number, exit_code):
    handler = signal.getsignal(number)
    with pytest.raises(Interrupted, match="before its evaluation") as caught, Interruption():
        signal.raise_signal(number)
    assert caught.value.exit_code == exit_code
    assert signal.getsignal(number) == handler


def test_ctrl_c_that_comes_twice_at_once_is_one():
    """As where it is sent to all processes of a group, one of which passes it on."""
    with pytest.raises(Interrupted), Interruption() as interruption:
        signal.raise_signal(signal.SIGINT)
        while interruption.signal is None:
            time.sleep(0.01)
        signal.raise_signal(signal.SIGINT)
        time.sleep(0.2)  # the process would be gone


def test_an_error_of_the_training_takes_precedence_over_the_signal():
    with pytest.raises(ValueError, match="of the training"), Interruption():
        signal.raise_signal(signal.SIGINT)
        raise ValueError("of the training")


@pytest.mark.parametrize("first", [pytest.param("SIGINT", marks=pytest.mark.slow), "SIGTERM"])
def test_ctrl_c_after_a_first_signal_stops_immediately(first):
    done = subprocess.run([sys.executable, "-c", PROGRAM, first], env=ENVIRONMENT, timeout=60)
    assert done.returncode == 130


PROGRAM = """
import signal, sys, time
from keras_vit.training.checkpoint import Interruption
with Interruption() as interruption:
    signal.raise_signal(getattr(signal, sys.argv[1]))
    while interruption.signal is None:
        time.sleep(0.01)
    time.sleep(0.6)
    signal.raise_signal(signal.SIGINT)
    time.sleep(30)
"""
ENVIRONMENT = {**os.environ, "KERAS_BACKEND": "numpy", "PYTHONPATH": os.pathsep.join(sys.path)}
