"""A run that was pushed gives the same answers from there, and what is refused leaves nothing there."""

import dataclasses
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from huggingface_hub import ModelCard, constants, hf_hub_download
from PIL import Image

from keras_vit import InputError, pretrained
from keras_vit.__main__ import main
from keras_vit.export import load_predictor
from keras_vit.io.figures import latency_words
from keras_vit.io.json_files import read_json
from keras_vit.io.output_meaning import read_output_meaning
from keras_vit.training import ImageRecipe, push, train
from keras_vit.training.hub.push import files_to_push
from keras_vit.training.run_folder import RunFolder

FILES = {"model_fp32.tflite"}


@pytest.fixture
def photo(tmp_path, monkeypatch):
    """A grey picture in the current folder."""
    monkeypatch.chdir(tmp_path)
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30)).astype("uint8")
    Image.fromarray(pixels).save("photo.jpg")


def refused(capsys, *words):
    """The one line with which `keras-vit push` refuses."""
    capsys.readouterr()
    assert main(["push", *map(str, words)]) == 2
    lines = capsys.readouterr().err.splitlines()
    return next(line for line in lines if line.startswith("keras-vit: "))


def test_one_commit_holds_the_run_its_files_and_its_card(hub, exported, tmp_path, capsys):
    words = ["--private", "--license", "Apache-2.0", "--json", str(tmp_path / "pushed.json")]
    assert main(["push", str(exported), "me/digits", *words]) == 0
    commit = read_json(tmp_path / "pushed.json", dict)["commit"]
    assert commit == f"{hub.address}/me/digits/commit/{hub.sha('me/digits')}"
    assert "keras-vit predict hf://me/digits" in capsys.readouterr().out
    assert len(hub.repositories["me/digits"]) == 2  # the empty one, and this
    assert hub.visibility["me/digits"] in ("private", True)
    files = hub.files("me/digits")
    assert {name for name in files if name.endswith(".tflite")} == {f"export/{name}" for name in FILES}
    assert files["model.keras"] == (exported / "model.keras").read_bytes()
    assert {"recipe.json", "labels.txt", "preprocessing.json", "outputs.json", "metrics.json"} < set(files)
    card = ModelCard(files["README.md"].decode())
    metrics = read_json(exported / "metrics.json", dict)
    assert (card.data.license, card.data.library_name) == ("apache-2.0", "keras")
    assert card.data.eval_results[0].metric_value == pytest.approx(metrics["accuracy"], abs=1e-6)
    low, high = metrics["accuracy_interval"]
    assert f"{low:.4f} to {high:.4f}" in card.text
    for row in read_json(exported / "export" / "export.json", dict)["variants"]:
        figures = f"{row['size'] / 1e6:.2f} MB | {latency_words(row['latency_ms'])}"
        assert f"`export/{row['file']}` | {figures}" in card.text


def test_no_folder_of_the_computer_is_published(hub, exported, tmp_path):
    run = shutil.copytree(exported, tmp_path / "run")
    for name in ("recipe.json", "metrics.json"):
        text = (run / name).read_text()
        assert '"data": "digits"' in text
        (run / name).write_text(text.replace('"data": "digits"', '"data": "folder:/home/me/photos"'))
    recipe = read_json(run / "recipe.json", dict)
    own = {"optimizer": "/home/me/parts.py:lion", "metrics": ["/home/me/parts.py:kappa"]}
    fields = recipe["recipe"]
    assert own.keys() <= fields.keys()
    fields |= own | {"distill": "../../home/me/teacher"}
    (run / "recipe.json").write_text(json.dumps(recipe))
    push(run, "me/photos")
    files = hub.files("me/photos")
    assert not [name for name, content in files.items() if b"home/me" in content]
    assert b"parts.py:lion" in files["README.md"] and b"parts.py:kappa" in files["README.md"]
    assert all(b"folder:photos" in files[name] for name in ("README.md", "recipe.json", "metrics.json"))


def test_what_comes_back_gives_the_same_answers(hub, exported, photo, capsys):
    push(exported, "me/digits")
    images = np.random.default_rng(1).integers(0, 256, (3, 8, 8, 1)).astype("float32")
    loaded = pretrained.load("hf://me/digits")
    size = (exported / "model.keras").stat().st_size / 1e6
    told = f"me/digits: downloading model.keras, {size:.1f} MB, once, to {constants.HF_HUB_CACHE}"
    assert capsys.readouterr().err.count(told) == 1
    pretrained.load("hf://me/digits")
    assert "downloading" not in capsys.readouterr().err
    expected = pretrained.load(exported)
    np.testing.assert_array_equal(loaded(images), expected(images))
    assert pretrained.preprocessing("me/digits") == pretrained.preprocessing(exported)
    for name in FILES:
        theirs = load_predictor(hf_hub_download("me/digits", f"export/{name}"))
        pixels = np.repeat(images, 3, axis=-1)
        ours = load_predictor(exported / "export" / name)
        np.testing.assert_array_equal(theirs.probabilities(pixels), ours.probabilities(pixels))
    answers = []
    for source in ("hf://me/digits", str(exported)):
        capsys.readouterr()
        assert main(["predict", source, "photo.jpg"]) == 0
        answers.append(re.findall(r"\d+\.\d+", capsys.readouterr().out))
    assert answers[0] == answers[1] and answers[0]


def several_labels(folder):
    """The files of a run whose images have several labels, as they are pushed."""
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (90, 8, 8, 1)).astype("uint8")
    data = images, random.integers(0, 2, (90, 3))
    recipe = ImageRecipe(data="given", label_kind="several", model="linear", epochs=1, batch_size=16)
    train(recipe, folder, data=data)
    return folder


def sure(exported, folder):
    """A run whose answer is a class above a probability."""
    run = shutil.copytree(exported, folder)
    dataclasses.replace(read_output_meaning(run), none_below=1.0).write(run)
    return run


@pytest.mark.parametrize("kind", ["sure", "several labels"])
def test_what_decides_an_answer_comes_back(kind, hub, exported, photo, tmp_path):
    folder = tmp_path / "run"
    run = sure(exported, folder) if kind == "sure" else several_labels(folder)
    files = files_to_push(RunFolder(run))
    hub.repositories["me/it"] = [{name: Path(file).read_bytes() for name, file in files.items()}]
    answers = []
    for source in ("hf://me/it", str(run)):
        assert main(["predict", source, "photo.jpg", "--csv", "answer.csv"]) == 0
        answers.append(Path("answer.csv").read_text())
    assert answers[0] == answers[1]
    assert ("none of these" if kind == "sure" else "labels") in answers[0]


def test_files_that_decide_by_other_thresholds_are_not_published(hub, exported, tmp_path, capsys):
    run = sure(exported, tmp_path / "run")
    assert "found other thresholds. Export again" in refused(capsys, run, "me/digits")
    assert not hub.repositories


def test_the_programs_of_the_card_run_as_they_are(hub, exported, photo, capsys):
    push(exported, "me/digits")
    card = hub.files("me/digits")["README.md"].decode()
    programs = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    assert len(programs) == 2
    for program in programs:
        exec(compile(program, "card", "exec"), {})
    assert capsys.readouterr().out.startswith("[[")


def test_an_update_replaces_the_files_of_an_earlier_push_and_leaves_others(hub, exported, tmp_path, capsys):
    push(exported, "me/digits")
    hub.repositories["me/digits"].append(
        {**hub.files("me/digits"), "notes.txt": b"mine", "export/model_int4.tflite": b"old"}
    )
    assert "already holds files" in refused(capsys, exported, "me/digits")
    push(exported, "me/digits", update=True)
    files = hub.files("me/digits")
    assert files["notes.txt"] == b"mine" and "export/model_int4.tflite" not in files


@pytest.mark.parametrize("part", ["create", "describe", "batch", "store", "commit"])
def test_a_network_that_breaks_leaves_nothing_and_the_same_command_finishes(part, hub, exported, capsys):
    hub.broken = part
    line = refused(capsys, exported, "me/digits")
    assert "broke off" in line and "nothing of it is there" in line
    assert all(set(commit) == {".gitattributes"} for commit in hub.repositories.get("me/digits", ()))
    hub.broken = None
    assert main(["push", str(exported), "me/digits"]) == 0


def test_a_download_that_breaks_is_one_line(hub, exported, photo, capsys):
    push(exported, "me/digits")
    hub.broken = "resolve"
    assert main(["predict", "hf://me/digits", "photo.jpg"]) == 2
    assert "the hub cannot be reached" in capsys.readouterr().err


def test_who_may_not_write_is_told_so(hub, exported, capsys, monkeypatch):
    assert "may not write to other/digits" in refused(capsys, exported, "other/digits")
    assert "does not accept the token" in refused(capsys, exported, "me/digits", "--token", "hf_wrong")
    monkeypatch.delenv("HF_TOKEN")
    assert "no token" in refused(capsys, exported, "me/digits")
    assert not hub.repositories


def test_a_licence_that_the_hub_does_not_know_is_told_by_its_words(hub, exported, capsys):
    line = refused(capsys, exported, "me/digits", "--license", "my own")
    assert '"license" must be one of' in line and "nothing of it is there" in line
    assert all(set(commit) == {".gitattributes"} for commit in hub.repositories["me/digits"])


@pytest.mark.parametrize("name", ["digits", "me/digits/more", "me/..", "me/a b", "", "me/digits.git"])
def test_a_name_that_is_none_is_refused(name, hub, exported, capsys):
    assert "Expected a repository as owner/name" in refused(capsys, exported, name)
    assert not hub.repositories


def test_a_run_that_is_not_finished_exported_and_whole_is_refused(hub, exported, tmp_path):
    def changed(name):
        return shutil.copytree(exported, tmp_path / name, copy_function=shutil.copy2)

    cases = {
        "model.keras": "Expected a run folder",
        "metrics.json": "was not evaluated",
        "export/export.json": "was not exported",
        "export/model_fp32.tflite": "is missing",
    }
    for number, (file, message) in enumerate(cases.items()):
        run = changed(str(number))
        (run / file).unlink()
        with pytest.raises(InputError, match=message):
            push(run, "me/digits")
    run = changed("other file")
    with (run / "export" / "model_fp32.tflite").open("ab") as file:
        file.write(b"more")
    with pytest.raises(InputError, match="not the file that was verified"):
        push(run, "me/digits")
    run = changed("later")
    (run / "model.keras").touch()
    with pytest.raises(InputError, match="is older than"):
        push(run, "me/digits")
    assert not hub.repositories


@pytest.mark.slow
def test_a_run_on_text_is_pushed_with_its_card(hub, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    fields = ("data=names", "hidden_dim=8", "epochs=1")
    assert main(["train", "char_names_gru", *fields, "--run-dir", "run"]) == 0
    assert main(["export", "run", "--variant", "fp32", "--max-drop", "10"]) == 0
    push("run", "me/names", author="A. Person")
    card = ModelCard(hub.files("me/names")["README.md"].decode())
    assert card.data.pipeline_tag == "text-generation" and "By A. Person." in card.text
    (program,) = re.findall(r"```python\n(.*?)```", card.text, re.DOTALL)
    capsys.readouterr()
    exec(compile(program, "card", "exec"), {})
    assert capsys.readouterr().out.count("'") == 6
