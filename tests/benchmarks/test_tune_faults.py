import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[2] / "benchmarks" / "tune_faults.py"


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the program finds processes in /proc")
@pytest.mark.parametrize("kind", ["search", "hyperband", "trial", "coordinator", "worker"])
def test_a_search_with_a_kill_finds_the_same_as_one_without(kind):
    done = subprocess.run(
        [sys.executable, PROGRAM, "--kills", "1", "--kind", kind, "--trials", "3"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=1800,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"| {kind} | 1 | 1 |" in done.stdout
