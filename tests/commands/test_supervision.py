"""A user's code that ends the process of a command, in processes of its own as the command has them."""

import json
import signal
import subprocess
import sys

import pytest

from keras_vit.commands.supervision import _SOURCES
from keras_vit.training.data.sources import source_names

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks on Linux alone")
PROGRAM = """
import json, os, signal, sys
from types import SimpleNamespace
from keras_vit.commands.supervision import supervised
from keras_vit.importing import user_code

code = supervised(SimpleNamespace(**json.loads(sys.argv[1])))
if code is None:
    {lines}
print("exit code", code)
sys.exit(code)
"""


def command(*lines, **options):
    program = PROGRAM.format(lines="\n    ".join(lines))
    return [sys.executable, "-c", program, json.dumps(options or {"model": "my_models:build"})]


def run(*lines, **options):
    return subprocess.run(command(*lines, **options), capture_output=True, text=True)


@pytest.mark.parametrize(
    ("line", "ending"),
    [
        ("os._exit(7)", "ended with exit code 7"),
        ("os._exit(0)", "ended with exit code 0"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "was ended by SIGSEGV"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "was ended by SIGKILL"),
    ],
)
def test_code_that_ends_the_process_is_named_with_how_it_ended(line, ending):
    found = run("with user_code('it raised ', what='my_models:build()'):", f"    {line}")
    assert f"InputError: my_models:build() ended the process, which {ending}" in found.stderr


def test_a_command_keeps_its_own_exit_code_and_signal():
    assert run("sys.exit(1)").returncode == 1
    assert run("os.kill(os.getpid(), signal.SIGKILL)").returncode == -signal.SIGKILL
    after = run("with user_code('it raised ', what='it'):", "    pass", "os._exit(3)")
    assert after.returncode == 3 and not after.stderr


def test_other_models_need_no_process_of_their_own():
    found = run("code = 4", model="runs/model.keras")
    assert found.returncode == 4 and found.stdout == "exit code 4\n"


def test_a_signal_to_the_command_reaches_the_one_that_runs_it():
    lines = ["signal.signal(signal.SIGTERM, lambda *_: sys.exit(9))", "print(flush=True)", "signal.pause()"]
    process = subprocess.Popen(command(*lines), stdout=subprocess.PIPE)
    process.stdout.readline()
    process.terminate()
    assert process.wait(timeout=30) == 9


OWN = {"recipe": {"data": "digits", "model": "my_models:build", "metrics": []}}


@pytest.mark.parametrize(
    ("options", "is_supervised"),
    [
        ({"recipe": "vit_digits", "overrides": ["epochs=2", "model=my_models:build"]}, True),
        ({"recipe": "vit_digits", "overrides": ["metrics=auc,my_metrics:recall"]}, True),
        ({"recipe": "vit_digits", "overrides": ['loss=my.py:Focal{"gamma": 2}']}, True),
        ({"recipe": "vit_digits", "overrides": ["data=my_data:load"]}, True),
        ({"recipe": "my_recipe.py", "overrides": []}, True),
        ({"recipe": "FOLDER/recipe.json", "overrides": []}, True),
        ({"recipe": "vit_digits", "run_dir": "FOLDER", "resume": True}, True),
        ({"model": "FOLDER"}, True),
        ({"models": ["resnet_cifar10", "FOLDER"]}, True),
        ({"models": ["resnet_cifar10", "my_recipe.py"]}, True),
        ({"models": ["resnet_cifar10", "runs/vit"]}, False),
        ({"model": "runs/model.keras", "data": "my_data:load"}, True),
        ({"model": "runs/model.keras", "imports": ["my_layers"]}, True),
        (
            {"recipe": "vit_cifar10", "overrides": ["data=tfds:cifar10", "model=cnn"], "run_dir": "FOLDER"},
            False,
        ),
        ({"model": "runs/model.keras", "data": "folder:photos"}, False),
        ({"recipe": "FOLDER/damaged.json"}, False),
        ({"recipe": "vit_photos", "overrides": ["data=table:a.csv", "group=column:patient"]}, False),
    ],
)
def test_every_option_and_recipe_that_names_a_users_code_is_supervised(options, is_supervised, tmp_path):
    (tmp_path / "recipe.json").write_text(json.dumps(OWN))
    (tmp_path / "damaged.json").write_text("{")
    options = json.loads(json.dumps(options).replace("FOLDER", str(tmp_path)))
    found = run("with user_code('it raised ', what='it'):", "    os._exit(7)", **options)
    assert ("it ended the process, which ended with exit code 7" in found.stderr) == is_supervised
    assert (found.returncode == 7) != is_supervised


def test_names_of_data_sources_are_known_without_keras():
    assert all((_SOURCES / f"{name}.py").is_file() for name in source_names())


def test_a_builder_that_ends_a_training_is_named(tmp_path):
    builder = tmp_path / "ending.py"
    builder.write_text("import os\ndef build(image_size, channels, num_classes): os._exit(5)\n")
    recipe = f"ImageRecipe(data='digits', model='{builder}:build')"
    program = f"from keras_vit.training import ImageRecipe\nRECIPE = {recipe}\n"
    (tmp_path / "recipe.py").write_text(program)
    words = ["train", str(tmp_path / "recipe.py"), "--run-dir", str(tmp_path / "run")]
    found = subprocess.run([sys.executable, "-m", "keras_vit", *words], capture_output=True, text=True)
    assert found.returncode == 2 and "Traceback" not in found.stderr
    assert "ending.py:build() ended the process, which ended with exit code 5" in found.stderr
