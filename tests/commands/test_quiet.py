import os

import pytest

from keras_vit.commands.quiet import quiet_import


@pytest.mark.parametrize(("error", "shown"), [(ImportError, "a log line"), (KeyboardInterrupt, "")])
def test_what_a_block_logs_is_shown_when_it_fails_and_not_when_it_is_interrupted(capfd, error, shown):
    with pytest.raises(error), quiet_import():
        os.write(2, b"a log line")
        raise error
    assert capfd.readouterr().err == shown
