import os
import subprocess
import sys
from pathlib import Path

import pytest

from keras_vit import export

resource = pytest.importorskip("resource")
PROGRAM = Path(export.__file__).with_name("limited.py")
SHOW = "import resource; print(*resource.getrlimit(resource.RLIMIT_AS))"


@pytest.mark.parametrize(("asked", "given"), [(2**31, 2**31), (2**50, 2**33)])
def test_a_program_gets_the_limit_or_the_lower_one_that_holds_already(asked, given):
    done = subprocess.run(
        [sys.executable, PROGRAM, str(asked), "-c", SHOW],
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (2**33, 2**33)),
    )
    assert done.stdout.split() == [str(given), str(2**33)], done.stderr


def test_where_the_system_refuses_any_limit_the_program_runs_without(tmp_path):
    refusing = "RLIMIT_AS = RLIM_INFINITY = -1\ndef getrlimit(_): return -1, -1\n"
    refusing += "def setrlimit(*_): raise ValueError('current limit exceeds maximum limit')\n"
    (tmp_path / "resource.py").write_text(refusing)  # as on macOS
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, PROGRAM, str(2**31), "-c", "print('it ran')"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.stdout.split() == ["it", "ran"], done.stderr
