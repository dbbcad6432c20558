"""The commands on a run of text, as a user runs them."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from keras_vit.__main__ import main
from keras_vit.export.web.litert_js import FILES
from keras_vit.io.json_files import write_json
from keras_vit.training import ImageRecipe


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "names"
    small = ["epochs=1", "hidden_dim=16", "batch_size=64", "sample_every=10"]
    arguments = ["train", "char_names_gru", *small, "--run-dir", str(folder)]
    result = subprocess.run(
        [sys.executable, "-m", "keras_vit", *arguments], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert "bits per character" in result.stdout and "bigram model" in result.stdout
    assert "step 1" in result.stderr
    return folder


def test_evaluate_prints_perplexity_next_to_the_bigram_models(run, capsys):
    assert main(["evaluate", str(run)]) == 0
    assert "perplexity" in capsys.readouterr().out


def test_generate_writes_one_sample_a_line_with_its_prefix_and_reports_novelty(run, capsys):
    words = ["generate", str(run), "--num", "7", "--temperature", "0.7", "--top-k", "9", "--top-p", "0.9"]
    assert main([*words, "--prefix", "bra", "--seed", "4"]) == 0
    first = capsys.readouterr()
    assert len(first.out.splitlines()) == 7
    assert all(line.startswith("bra") for line in first.out.splitlines())
    assert "of 7 are not in the training list" in first.err
    assert main([*words, "--prefix", "bra", "--seed", "4"]) == 0
    assert capsys.readouterr().out == first.out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--temperature", "0"], "temperature of at least 1e-09, received 0.0"),
        (["--top-k", "0"], "top_k of at least 1, received 0"),
        (["--top-p", "1.2"], "top_p from 1e-09 to 1, received 1.2"),
        (["--num", "0"], "num_samples from 1 to 100,000, received 0"),
        (["--prefix", "Žluť"], "not seen"),
    ],
)
def test_invalid_generation_options_are_one_line_and_exit_code_2(run, words, message, capsys):
    assert main(["generate", str(run), *words]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


@pytest.mark.slow
def test_an_exported_file_generates_and_scores_text_as_the_run_does(run, capsys, tmp_path):
    page, engine = tmp_path / "page", tmp_path / "node_modules" / "@litertjs"
    for name in FILES.values():  # empty ones: nothing of the page runs here
        (engine / name).parent.mkdir(parents=True, exist_ok=True)
        (engine / name).touch()
    words = ["--variant", "fp32", "--characters", "4", "--web", str(page), "--litert", str(tmp_path)]
    assert main(["export", str(run), *words]) == 0
    assert "verified" in capsys.readouterr().out
    described = json.loads((page / "keras-vit.json").read_text())
    assert described["name"] == run.name and described["characters"].startswith("\nab")
    assert (page / "writer.js").is_file() and not (page / "pixels.js").exists()
    (tmp_path / "some.txt").write_text("tyrannosaurus\nmaiasaura\n")
    file, answers = run / "export" / "model_fp32.tflite", []
    for model in (run, file):
        assert main(["generate", str(model), "--num", "3", "--seed", "5", "--top-k", "8"]) == 0
        assert main(["predict", str(model), str(tmp_path / "some.txt")]) == 0
        answers.append(capsys.readouterr().out)
    assert answers[0] == answers[1] and "perplexity" in answers[0]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["export", "RUN", "--variant", "full_int8"], "is not for text"),
        (["predict", "RUN", "nowhere.txt"], "Expected a text file"),
        (["predict", "RUN/model.keras", "empty.txt"], "an empty one"),
        (["predict", "RUN", "capitals.txt"], "The text has characters that the model has not seen"),
        (["generate", "RUN/model.tflite"], "found nothing"),
    ],
)
def test_a_command_that_a_text_model_does_not_support_ends_with_one_line_and_code_2(
    run, words, message, capsys, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.txt").write_text("\n")
    (tmp_path / "capitals.txt").write_text("Tyrannosaurus")
    assert main([word.replace("RUN", str(run)) for word in words]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


@pytest.mark.parametrize(
    ("content", "words", "message"),
    [
        (b"", [], "is empty"),
        (b"\xff\xfe\x00", [], "UTF-16, but byte"),
        (b"\xe9", [], "UTF-8"),
        (b"short", ["lines=false", "sample_every=none"], "more text than one window"),
    ],
)
def test_text_that_cannot_be_trained_on_is_one_line_and_code_2(tmp_path, content, words, message, capsys):
    (tmp_path / "text.txt").write_bytes(content)
    data = f"data=text:{tmp_path / 'text.txt'}"
    assert main(["train", "char_names_gru", data, *words, "--run-dir", str(tmp_path / "run")]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
    assert os.listdir(tmp_path) == ["text.txt"]


def test_another_vocabulary_than_the_models_is_refused(run, tmp_path, capsys):
    shutil.copytree(run, tmp_path / "run")
    (tmp_path / "run" / "vocabulary.json").write_text('{"characters": "\\nab", "unknown": "error"}')
    assert main(["generate", str(tmp_path / "run")]) == 2
    assert "vocabulary.json to have the 27 tokens of its model, received 3" in capsys.readouterr().err


def test_generate_wants_a_run_on_text(tmp_path, capsys):
    (tmp_path / "digits").mkdir()
    write_json(tmp_path / "digits" / "recipe.json", {"recipe": ImageRecipe().as_dict()})
    (tmp_path / "digits" / "model.keras").touch()
    assert main(["generate", str(tmp_path / "digits")]) == 2
    assert "Expected a run on text, but" in capsys.readouterr().err
    assert main(["generate", str(tmp_path / "nowhere")]) == 2
    assert "Expected a run folder" in capsys.readouterr().err
