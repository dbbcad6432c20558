import signal

import pytest

from training.interruption import Interrupted, Interruption


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_at_the_last_moment_is_not_lost(number, exit_code):
    handler = signal.getsignal(number)
    with pytest.raises(Interrupted, match="--resume evaluates") as caught, Interruption():
        signal.raise_signal(number)
    assert caught.value.exit_code == exit_code
    assert signal.getsignal(number) == handler


def test_an_error_of_the_training_comes_before_the_signal():
    with pytest.raises(ValueError, match="of the training"), Interruption():
        signal.raise_signal(signal.SIGINT)
        raise ValueError("of the training")
