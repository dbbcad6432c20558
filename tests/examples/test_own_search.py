"""A search over the builder of the example, as a script."""

import re
import subprocess
import sys
from pathlib import Path

import keras
import pytest

from keras_vit.io.json_files import read_json

EXAMPLE = Path(__file__).parents[2] / "examples" / "own_search.py"


@pytest.mark.slow
def test_the_script_finds_trains_and_keeps_a_model(tmp_path):
    result = subprocess.run([sys.executable, EXAMPLE, tmp_path], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr[-2000:]
    score, model = re.search(r"} ([\d.]+) (\S+)", result.stdout).groups()
    assert float(score) > 0.5
    assert keras.models.load_model(model).output_shape == (None, 10)
    summary = read_json(Path(model).parent / "summary.json", dict)
    assert len(summary["runs"]) == 3 and summary["footprint"]["size_bytes"] < 100_000
    assert read_json(Path(model).parent / "hyperparameters.json", dict)["values"] == summary["values"]
