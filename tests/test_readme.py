"""The README's Python code runs unchanged, and so do the programs that moved from it to the guides."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
SET_UP = (
    "python3 -m venv .venv && .venv/bin/pip install -q . && .venv/bin/keras-vit demo",
    'python3 -m venv .venv && .venv/bin/pip install -q -e ".[dev]" && .venv/bin/pytest -n 2 --dist loadfile',
)


def programs(page):
    return re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)


def run(program, scope):
    exec(compile(program, "page", "exec"), scope)


def test_the_readme_is_one_screen_with_the_commands_that_set_up_everything():
    text = README.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 120
    assert all(f"```bash\n{command}\n```" in text for command in SET_UP)
    assert f"<!-- tests -->\n```bash\n{SET_UP[1]}" in text  # .ci/run reads it there


def test_what_the_readme_links_to_exists():
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", README.read_text(encoding="utf-8"))
    assert len(links) > 10
    for link in links:
        assert (ROOT / link).exists(), link


def test_the_program_of_the_guide_exports_a_model_of_its_own(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    run(programs("docs/guides/own_model.md")[0], {})
    assert {path.name for path in (tmp_path / "own").iterdir()} == {
        "app.md", "export.json", "model_dynamic_int8.tflite", "model_fp32.tflite", "saved_model",
    }  # fmt: skip
    assert capsys.readouterr().out.splitlines()[-5].startswith("[[")


@pytest.mark.slow
@pytest.mark.parametrize("page", ["README.md", "docs/guides/photographs.md"])
def test_the_first_program_trains_exports_and_predicts(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    program = programs(page)[0].replace("epochs=20", "epochs=10")  # half the time
    assert program != programs(page)[0]
    scope = {}
    run(program, scope)
    assert scope["run"].metrics["accuracy"] > 0.8
    answers = capsys.readouterr().out.splitlines()[-1]
    predicted, labels = (re.findall(r"\d", part) for part in answers.split("] ["))
    assert len(predicted) == 5
    assert sum(a == b for a, b in zip(predicted, labels, strict=True)) >= 4


@pytest.mark.slow
def test_the_programs_on_layers_build_models():
    scope = {}
    run(programs("docs/guides/layers.md")[0], scope)
    assert scope["larger"].input_shape == (None, 288, 384, 3)
    assert scope["x"].shape == (None, 64, 192)
    run(programs("README.md")[1], scope)
    assert scope["x"].shape == (None, 64, 192)


@pytest.mark.parametrize("program", programs("README.md"))
def test_every_program_is_python(program):
    compile(program, "README.md", "exec")
