"""The README's Python code runs unchanged."""

import re
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"
PROGRAMS = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


def test_the_first_program_exports_a_model_of_its_own(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    exec(compile(PROGRAMS[0], "README.md", "exec"), {})
    assert {path.name for path in (tmp_path / "own").iterdir()} == {
        "export.json", "model_dynamic_int8.tflite", "model_fp32.tflite", "saved_model",
    }  # fmt: skip
    assert capsys.readouterr().out.splitlines()[-5].startswith("[[")


@pytest.mark.slow
def test_the_second_program_trains_exports_and_predicts(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    program = PROGRAMS[1].replace("epochs=20", "epochs=10")  # half the time
    assert program != PROGRAMS[1]
    exec(compile(program, "README.md", "exec"), {})
    accuracy, answers = capsys.readouterr().out.splitlines()[-2:]
    assert float(accuracy) > 0.8
    predicted, labels = (re.findall(r"\d", part) for part in answers.split("] ["))
    assert len(predicted) == 5
    assert sum(a == b for a, b in zip(predicted, labels, strict=True)) >= 4


@pytest.mark.slow
def test_the_third_program_builds_models():
    scope = {}
    exec(compile(PROGRAMS[2], "README.md", "exec"), scope)
    assert scope["larger"].input_shape == (None, 288, 384, 3)
    assert scope["x"].shape == (None, 64, 192)


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_program_is_python(program):
    compile(program, "README.md", "exec")
