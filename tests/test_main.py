"""The command line, run as a user runs it."""

import argparse
import gc
import json
import logging
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import keras_vit
import keras_vit.commands.export
from keras_vit.__main__ import main, make_parser
from keras_vit.commands import COMMANDS
from keras_vit.training.checkpoint import Interrupted

QUICK = ["epochs=2", "num_layers=1", "hidden_dim=32", "mlp_dim=32"]


def command(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "keras_vit", *map(str, arguments)], capture_output=True, text=True, **options
    )


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Two classes of pictures that differ in colour, of several sizes, formats and modes."""
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    for label, color in (("red", (220, 40, 30)), ("blue", (30, 60, 210))):
        (folder / label).mkdir()
        for number in range(24):
            size = rng.integers(20, 90, 2)
            pixels = np.clip(np.array(color) + rng.normal(0, 40, (*size, 3)), 0, 255).astype("uint8")
            image, suffix = Image.fromarray(pixels), ("jpg", "png", "webp", "bmp")[number % 4]
            if suffix == "png" and number % 8 == 1:
                image = image.convert("RGBA")
            image.save(folder / label / f"{number}.{suffix}")
    return folder


@pytest.fixture(scope="module")
def run(photos, tmp_path_factory):
    """A run on the photographs, trained and exported by commands."""
    folder = tmp_path_factory.mktemp("runs") / "photos"
    small = [f"data=folder:{photos}", "image_size=32", "patch_size=8", "batch_size=4", "randaugment_layers=0"]
    trained = command("train", "vit_photos", *small, *QUICK, "epochs=12", "--run-dir", folder)
    assert trained.returncode == 0, trained.stderr
    exported = command("export", folder, "--max-drop", 50)
    assert exported.returncode == 0, exported.stderr
    assert "verified" in exported.stdout
    return folder


@pytest.mark.slow
def test_a_folder_of_photographs_is_learned_exported_and_predicted_alike_from_four_forms(run, photos, capsys):
    files = [photos / "red" / "0.jpg", photos / "red" / "1.png", photos / "blue" / "2.webp"]
    alone = command("predict", run / "export" / "saved_model", *files, "--top", 1)
    assert alone.returncode == 0 and alone.stderr == ""
    for form in ("", "model.keras", "export/model_fp32.tflite"):
        assert main(["predict", str(run / form), *map(str, files), "--top", "1"]) == 0
        assert capsys.readouterr().out == alone.stdout
    assert [line.split()[1] for line in alone.stdout.splitlines()[1:]] == ["red", "red", "blue"]


def test_the_version_is_printed(capsys):
    with pytest.raises(SystemExit, match="^0$"):
        main(["--version"])
    assert capsys.readouterr().out == f"keras-vit {keras_vit.__version__}\n"


@pytest.mark.slow
def test_the_run_folder_contains_the_documented_files(run):
    assert {
        "recipe.json", "model.keras", "state", "history.csv", "tensorboard", "metrics.json", "labels.txt",
        "predictions.csv", "preprocessing.json", "report", "export",
    } == set(os.listdir(run))  # fmt: skip


@pytest.mark.slow
def test_a_run_whose_model_takes_other_images_is_refused_in_one_line(run, tmp_path, capsys):
    for name in ("recipe.json", "labels.txt", "metrics.json"):
        shutil.copy(run / name, tmp_path)
    keras_vit.models.mlp(image_size=32, channels=1, num_classes=2).save(tmp_path / "model.keras")
    before = (tmp_path / "metrics.json").read_bytes()
    assert main(["evaluate", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert "from (None, 32, 32, 3) to (None, 2)" in error and error.count("\n") == 1
    assert (tmp_path / "metrics.json").read_bytes() == before


@pytest.mark.slow
def test_evaluate_repeats_the_figures(run):
    before = (run / "metrics.json").read_text()
    assert main(["evaluate", str(run)]) == 0
    assert (run / "metrics.json").read_text() == before


@pytest.mark.slow
@pytest.mark.parametrize("name", ["evaluate", "evaluate --data", "frontier"])
def test_lines_that_tensorflow_logs_at_its_start_are_not_shown(name, run, photos, tmp_path):
    more = {
        "evaluate": [],
        "evaluate --data": ["--data", f"folder:{photos}"],
        "frontier": [run, "--out", tmp_path],  # two of one name, which is refused
    }[name]
    environment = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    done = command(name.split()[0], run, *more, env=environment)
    assert done.returncode == (2 if name == "frontier" else 0), done.stderr
    assert not re.search("oneDNN|cudart|absl::", done.stderr)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "vit_nothing", "--run-dir", "x"], "Unknown recipe 'vit_nothing'"),
        (["train", "vit_digits", "speed=3", "--run-dir", "x"], "Unknown recipe field 'speed'"),
        (["train", "vit_digits", "epochs=many", "--run-dir", "x"], "epochs to be int"),
        (["train", "vit_digits", "variant=XXL/2", "--run-dir", "x"], "Unknown ViT variant"),
        (["train", "vit_digits", "stem=linear", "patch_size=3", "--run-dir", "x"], "must divide the image"),
        (["train", "vit_digits", "data=folder:nowhere", "--run-dir", "x"], "nowhere"),
        (["train", "vit_digits", "data=npz:nowhere.npz", "--run-dir", "x"], "nowhere.npz"),
        (["train", "vit_digits", "--resume", "--run-dir", "x"], "no run in x to resume"),
        (["train", "vit_digits", "num_layers=0", "--run-dir", "x"], "num_layers from 1 to 1,000"),
        (["train", "vit_digits", "hidden_dim=60000", "--run-dir", "x"], "numbers that memory has room"),
        (
            ["train", "cnn_digits", "pooling=gap", "--run-dir", "x"],
            "does not accept pooling: set pooling=none.",
        ),
        (["train", "char_names_gru", "window=100000000", "--run-dir", "x"], "window from 2 to 65,536"),
        (["reproduce", "all", "--only", "baseline", "--run-dir", "x"], "--only names lines of one"),
        (["evaluate", "nowhere"], "Expected a run folder"),
        (["export", "nowhere"], "Expected a run folder"),
        (["export", "nowhere", "--litert", "packages"], "--litert is for the page of --web"),
        (["export", "nowhere", "--latencies", "phone.json"], "--latencies is for --variant auto"),
        (["export", "nowhere", "--web", "page", "--variant", "savedmodel"], "--web requires TFLite files"),
        (["export", "nowhere", "--app", "app", "--variant", "savedmodel"], "--app requires TFLite files"),
        (["export", "nowhere", "--app", "app", "--input", "int8"], "--app requires files that take float32"),
        (["export", "nowhere", "--app", "app", "--batch", "2"], "--app requires files for one image"),
        (["export", "nowhere", "--app", "app", "--attention"], "--app requires files with one output"),
        (["predict", "nowhere", "a.png"], "found none of these at nowhere"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_one_line_and_exit_code_2(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert os.listdir(tmp_path) == []


@pytest.mark.slow
def test_a_used_run_folder_and_a_broken_picture_are_refused(run, tmp_path, capsys):
    for words in (["train", "vit_digits"], ["demo"]):
        assert main([*words, "--run-dir", str(run)]) == 2
        assert "--resume" in capsys.readouterr().err
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no picture")
    assert main(["predict", str(run), str(tmp_path / "broken.jpg")]) == 2
    assert "broken.jpg" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("module", "package"), [("torch", "keras-vit-mobile[torch]"), ("ai_edge_litert", "ai-edge-litert")]
)
def test_a_missing_extra_is_one_line_with_the_installation_command(module, package, tmp_path):
    program = (
        f"import sys; sys.modules[{module!r}] = None; from keras_vit.__main__ import main; sys.exit(main())"
    )
    words = ["train", "vit_digits", "--run-dir", "run"] if module == "torch" else ["benchmark", "m.tflite"]
    environment = {**os.environ, "KERAS_BACKEND": "torch"}
    found = subprocess.run(
        [sys.executable, "-c", program, *words],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment | {"PYTHONPATH": str(Path(keras_vit.__file__).parents[1])},
    )
    assert found.returncode == 2 and found.stderr.count("\n") == 1
    assert found.stderr.endswith(f'pip install "{package}"\n') and os.listdir(tmp_path) == []


def test_an_interrupt_points_to_resume_only_where_there_is_a_run(tmp_path, monkeypatch, capsys):
    def interrupted(options):
        raise KeyboardInterrupt

    monkeypatch.setattr("keras_vit.commands.train.run", interrupted)
    arguments = ["train", "vit_digits", "--run-dir", str(tmp_path)]
    assert main(arguments) == 130
    assert "--resume" not in capsys.readouterr().err
    assert main([*arguments, "--folds", "3"]) == 130
    assert capsys.readouterr().err.endswith("interrupted. The same command continues it.\n")
    (tmp_path / "recipe.json").touch()
    assert main(arguments) == 130
    assert "interrupted. Continue with the same command and --resume." in capsys.readouterr().err


def test_the_same_command_continues_an_interrupted_experiment(monkeypatch, capsys):
    def interrupted(options):
        raise Interrupted("interrupted after epoch 2, saved in runs.", 143)

    monkeypatch.setattr("keras_vit.commands.reproduce.run", interrupted)
    assert main(["reproduce", "char_names"]) == 143
    assert capsys.readouterr().err == (
        "keras-vit: interrupted after epoch 2, saved in runs. The same command continues it.\n"
    )


@pytest.mark.usefixtures("foreground")
@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_command_in_one_line(number, exit_code, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("keras_vit.commands.tune.run", lambda options: signal.raise_signal(number))
    assert main(["tune", "vit_digits", "--run-dir", str(tmp_path)]) == exit_code
    assert capsys.readouterr().err == "keras-vit: interrupted. The same command continues it.\n"
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


@pytest.mark.usefixtures("foreground")
@pytest.mark.parametrize(
    ("number", "exit_code"),
    [(signal.SIGINT, 130), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.slow)],
)
def test_a_signal_inside_a_callback_of_the_garbage_collector_is_not_lost(
    number, exit_code, tmp_path, monkeypatch, capsys
):
    def collected(phase, info):
        gc.callbacks.remove(collected)
        signal.raise_signal(number)

    def collecting(options):
        gc.callbacks.append(collected)
        gc.collect()
        for _ in range(50):  # a signal from inside the process does not end a sleep
            time.sleep(0.1)
        pytest.fail("went on")

    monkeypatch.setattr("keras_vit.commands.train.run", collecting)
    assert main(["train", "vit_digits", "--run-dir", str(tmp_path)]) == exit_code
    assert capsys.readouterr().err == "keras-vit: interrupted.\n"


def test_names_that_look_like_markup_are_shown_as_they_are(photos, tmp_path, capsys):
    model = keras_vit.models.vit("Pico/2", num_classes=2, channels=3)
    model.save(tmp_path / "model.keras")
    (tmp_path / "labels.txt").write_text("[red]a\n[/b]:smile:\n", encoding="utf-8")
    shutil.copy(photos / "red" / "0.jpg", tmp_path / "[bold].jpg")
    assert main(["predict", str(tmp_path / "model.keras"), str(tmp_path / "[bold].jpg")]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in ("[red]a", "[/b]:smile:", "[bold].jpg"))


@pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="names of files are Unicode there")
def test_names_that_are_no_text_are_shown_with_their_bytes(photos, tmp_path, capsys):
    keras_vit.models.linear(image_size=4, num_classes=2, channels=3).save(tmp_path / "model.keras")
    odd = os.path.join(tmp_path, os.fsdecode(b"caf\xe9.jpg"))
    shutil.copy(photos / "red" / "0.jpg", odd)
    assert main(["predict", str(tmp_path / "model.keras"), odd, "--json", str(tmp_path / "out.json")]) == 0
    assert r"caf\udce9.jpg" in capsys.readouterr().out
    assert json.loads((tmp_path / "out.json").read_text())[0]["file"] == odd


@pytest.mark.slow
def test_a_missed_accuracy_is_exit_code_1_and_leaves_no_file(run, monkeypatch, capsys):
    monkeypatch.setattr("keras_vit.export.verification.attempt.FLOAT32_TOLERANCE", 0.0)
    assert main(["export", str(run), "--variant", "fp32"]) == 1
    assert "differs from the model" in capsys.readouterr().err
    assert not (run / "export" / "model_fp32.tflite").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--quiet"], "required: COMMAND"),
        (["cook"], "choose from 'demo', 'check'"),
        (["train"], "required: --run-dir"),
        (["train", "vit_digits", "--run-dir", ""], "--run-dir: expected a path, received an empty one"),
        (["evaluate", ""], "MODEL: expected a path, received an empty one"),
        (["predict", "x", "y", "--top", "0"], "--top: expected a whole number of at least 1, received '0'"),
        (["predict", "x", "y", "--top", "a"], "received 'a'. See `keras-vit predict --help`"),
        (["export", "x", "--max-drop", "-1"], "--max-drop: expected points from 0 to 100, received '-1'"),
        (["export", "x", "--max-drop", "much"], "received 'much'"),
        (["list", "cats"], "choose from 'recipes', 'models'"),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_2(words, message, capsys):
    with pytest.raises(SystemExit) as end:
        main(words)
    error = capsys.readouterr().err
    assert end.value.code == 2
    assert message in error and error.count("\n") == 1


def test_a_run_folder_that_cannot_be_made_is_refused_before_the_data_are_loaded(tmp_path, capsys):
    (tmp_path / "file").write_text("mine")
    for place in ("file", "file/run", "file/run/deeper"):
        words = ["train", "vit_digits", f"data=folder:{tmp_path}", "--run-dir", str(tmp_path / place)]
        assert main(words) == 2
        assert "file is a file" in capsys.readouterr().err
    assert (tmp_path / "file").read_text() == "mine"


def test_a_file_that_a_run_would_replace_is_kept(tmp_path, capsys):
    (tmp_path / "labels.txt").write_text("mine")
    assert main(["train", "vit_digits", "--run-dir", str(tmp_path)]) == 2
    assert "labels.txt belongs to no run" in capsys.readouterr().err
    assert (tmp_path / "labels.txt").read_text() == "mine"


def test_a_run_folder_whose_name_is_too_long_is_refused_in_one_line(tmp_path, capsys):
    assert main(["train", "vit_digits", "--run-dir", str(tmp_path / ("a" * 300))]) == 2
    error = capsys.readouterr().err
    assert "cannot be created (File name too long)" in error and error.count("\n") == 1


def test_a_recipe_that_fits_no_model_leaves_folders_as_they_were(tmp_path):
    (tmp_path / "mine").mkdir()
    for place in ("mine", "new/run"):
        assert main(["train", "vit_digits", "num_heads=7", "--run-dir", str(tmp_path / place)]) == 2
    assert [path.name for path in tmp_path.rglob("*")] == ["mine"]


def test_tensorflow_gives_no_advice_on_tracing():
    assert main(["list", "models"]) == 0
    logger, messages = logging.getLogger("tensorflow"), []
    handler = logging.Handler()
    handler.emit = lambda record: messages.append(record.getMessage())
    logger.addHandler(handler)
    try:
        traced = tf.function(lambda x: x)
        for value in range(20):  # each Python number is traced separately
            traced(value)
        logger.warning("another warning")
    finally:
        logger.removeHandler(handler)
    assert messages == ["another warning"]


def test_without_arguments_the_five_commands_that_matter_are_shown(capsys):
    assert main([]) == 0
    shown = capsys.readouterr().out
    assert re.findall(r"^  keras-vit (\w+)", shown, re.MULTILINE) == [
        "demo", "train", "evaluate", "export", "predict",
    ]  # fmt: skip
    for line in re.findall(r"^  keras-vit (.*?)(?:  .*)?$", shown, re.MULTILINE):
        make_parser().parse_args(shlex.split(line))


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "completion"])
def test_every_command_has_quiet_and_json(name, capsys):
    with pytest.raises(SystemExit, match="^0$"):
        main([name, "--help"])
    shown = capsys.readouterr().out
    assert "--quiet" in shown and "--json FILE" in shown


def test_quiet_shows_nothing_but_the_file_and_errors(tmp_path, capsys):
    written = tmp_path / "names.json"
    assert main(["list", "recipes", "--quiet", "--json", str(written)]) == 0
    assert capsys.readouterr() == ("", "")
    assert "vit_digits" in json.loads(written.read_text())
    (tmp_path / "empty").mkdir()
    assert main(["check", f"folder:{tmp_path / 'empty'}", "--quiet"]) == 2
    out, error = capsys.readouterr()
    assert out == "" and "empty" in error and error.count("\n") == 1


@pytest.mark.slow
def test_figures_of_long_work_are_written_as_json_and_quiet_shows_nothing(tmp_path, capsys):
    run, metrics, rows = tmp_path / "run", tmp_path / "metrics.json", tmp_path / "rows.json"
    words = ["train", "vit_digits", *QUICK, "--run-dir", str(run), "--quiet", "--json", str(metrics)]
    assert main(words) == 0
    assert json.loads(metrics.read_text()) == json.loads((run / "metrics.json").read_text())
    words = ["export", str(run), "--variant", "fp32", "--max-drop", "100", "--quiet", "--json", str(rows)]
    assert main(words) == 0
    assert [row["variant"] for row in json.loads(rows.read_text())] == ["fp32"]
    out, error = capsys.readouterr()
    assert out == "" and all(line.startswith("keras-vit: warning:") for line in error.splitlines())


@pytest.mark.slow
def test_list_and_help_answer():
    assert "vit_digits" in command("list", "recipes").stdout
    assert "Ti/PATCH" in command("list", "models").stdout
    for name in ("demo", "train", "evaluate", "predict", "export", "list"):
        assert "example: keras-vit" in command(name, "--help").stdout


def test_export_offers_the_variants_that_there_are():
    from keras_vit.export.variants import AUTO, VARIANTS

    parser = argparse.ArgumentParser()
    keras_vit.commands.export.add_arguments(parser)
    (option,) = (action for action in parser._actions if action.dest == "variant")
    assert set(option.choices) == {*VARIANTS, AUTO}


@pytest.mark.parametrize("what", ["recipes", "models", "experiments"])
def test_list_shows_all_names(what, capsys):
    assert main(["list", what]) == 0
    expected = {"recipes": "vit_digits", "models": "resnet 20", "experiments": "cnn_batchnorm_cifar10"}
    assert expected[what] in capsys.readouterr().out


def test_a_count_is_reproduced_with_quick_too_and_its_table_shown(tmp_path, monkeypatch, capsys):
    from keras_vit.training.reproduce.results import Computation

    counting = Computation(title="Counting", rows=lambda: [{"size": 1000}])
    monkeypatch.setattr("keras_vit.training.experiments.compute.EXPERIMENT", counting)
    assert main(["reproduce", "compute", "--quick", "--run-dir", str(tmp_path)]) == 0
    assert "| 1,000 |" in capsys.readouterr().out


def test_a_reader_that_has_read_enough_ends_a_command_quietly():
    command = [sys.executable, "-m", "keras_vit", "list", "models"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141
