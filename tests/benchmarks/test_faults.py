import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[2] / "benchmarks" / "faults.py"


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the harness forks")
def test_trainings_with_faults_end_with_the_hash_of_an_undisturbed_one():
    done = subprocess.run(
        [sys.executable, PROGRAM, "--kills", "2", "--case", "ViT", "--seed", "3", "--no-disk"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "| 2 | 2 |" in done.stdout
