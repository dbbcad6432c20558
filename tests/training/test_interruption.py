import os
import signal
import subprocess
import sys

import pytest

from keras_vit.training.interruption import Interrupted, Interruption


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_at_the_last_moment_is_not_lost(number, exit_code):
    handler = signal.getsignal(number)
    with pytest.raises(Interrupted, match="before its evaluation") as caught, Interruption():
        signal.raise_signal(number)
    assert caught.value.exit_code == exit_code
    assert signal.getsignal(number) == handler


def test_an_error_of_the_training_comes_before_the_signal():
    with pytest.raises(ValueError, match="of the training"), Interruption():
        signal.raise_signal(signal.SIGINT)
        raise ValueError("of the training")


@pytest.mark.parametrize("first", ["SIGINT", "SIGTERM"])
def test_ctrl_c_after_a_first_signal_stops_at_once(first):
    done = subprocess.run([sys.executable, "-c", PROGRAM, first], env=ENVIRONMENT, timeout=60)
    assert done.returncode == 130


PROGRAM = """
import signal, sys, time
from keras_vit.training.interruption import Interruption
with Interruption() as interruption:
    signal.raise_signal(getattr(signal, sys.argv[1]))
    while interruption.signal is None:
        time.sleep(0.01)
    signal.raise_signal(signal.SIGINT)
    time.sleep(30)
"""
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
