"""The examples of exports run as they are."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = {
    "export_own_model.py": ("{'kind': (200, 4), 'load': (200, 1)}", 2),
    "export_application.py": ("fp16 accuracy", 2),
    "export_several_labels.py": ("of the labels are right", 1),
    "export_regression.py": ("full_int8 explains 9", 2),
}


@pytest.mark.slow  # the fast tests run the same program in a guide
@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_runs_and_leaves_its_files(name, tmp_path):
    words, count = EXAMPLES[name]
    done = subprocess.run(
        [sys.executable, ROOT / "examples" / name, tmp_path / "out"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert words in done.stdout
    assert len(list((tmp_path / "out").glob("*.tflite"))) == count
