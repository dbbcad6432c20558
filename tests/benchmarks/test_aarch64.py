"""Exported files give on an emulated ARM processor what they give here."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "aarch64.py"


@pytest.mark.slow  # downloads 45 MB, and runs each file on an emulator
def test_a_network_answers_on_arm_as_on_x86(tmp_path):
    spec = importlib.util.spec_from_file_location("aarch64", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    if script.why_not():
        pytest.skip(script.why_not())
    words = ["--models", "cnn", "--images", "20", "--threads", "1", "2", "--markdown", tmp_path / "table.md"]
    done = subprocess.run(
        [sys.executable, SCRIPT, tmp_path / "files", *words], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    table = (tmp_path / "table.md").read_text()
    assert table.count("| cnn |") >= 10 and "| 100.0 % |" in table
