"""Who may import whom."""

import ast
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def imported(path):
    """The full names that a file imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module)
    return names


def private_attributes(path):
    """The private attributes that a file reads of other objects than `self`."""
    return {
        node.attr
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__")
        if getattr(node.value, "id", None) != "self"
    }


def imports_from(path, package):
    return {name for name in imported(path) if f"{name}.".startswith(f"{package}.")}


def files(folder):  # rglob does not follow the links in keras_vit
    found = sorted((ROOT / folder).rglob("*.py"))
    assert found, folder
    return found


@pytest.mark.parametrize("path", files("keras_vit/layers"), ids=lambda p: p.name)
def test_layers_import_keras_numpy_and_the_checks_of_arguments_alone(path):
    names = {name for name in imported(path) if name.split(".")[0] not in sys.stdlib_module_names}
    ours = {name for name in names if name.startswith("keras_vit.layers")}
    own = {f"keras_vit.{name}" for name in ("constraints", "errors", "keras_internals", "pairs")}
    assert names - ours <= {"keras", "numpy", *own}


@pytest.mark.parametrize("path", files("keras_vit/models"), ids=lambda p: p.name)
def test_models_know_no_backend_and_nothing_outside_the_package(path):
    tops = {name.split(".")[0] for name in imported(path)}
    assert not tops & {"tensorflow", "jax", "torch", "ai_edge_litert"}


@pytest.mark.parametrize(("folder", "other"), [("training", "export"), ("export", "training")])
def test_training_and_export_do_not_know_each_other(folder, other):
    for path in files(folder):
        assert not imports_from(path, f"keras_vit.{other}"), path


def test_only_the_commands_import_both():
    for path in files("keras_vit"):
        known = imports_from(path, "keras_vit.training") | imports_from(path, "keras_vit.export")
        assert path.parent.name == "commands" or not known, path


def test_private_names_of_keras_are_used_in_one_file():
    internals = ROOT / "keras_vit/keras_internals.py"
    private = private_attributes(internals)
    assert {"_flatten_layers", "_keras_history", "_run_through_graph"} <= private
    for path in [path for folder in ("keras_vit", "training", "export") for path in files(folder)]:
        if path != internals:
            assert not imports_from(path, "keras.src") and not private & private_attributes(path), path


def test_private_names_of_keras_tuner_are_imported_by_one_file():
    assert len([path for path in files("training") if imports_from(path, "keras_tuner.src")]) <= 1


def test_parsing_a_command_imports_nothing_heavy():
    program = (
        "import sys, keras_vit.__main__ as command\n"
        "command.make_parser()\n"
        "heavy = {'keras', 'numpy', 'tensorflow', 'keras_vit.training'}\n"
        "light = {'keras_vit.export', 'keras_vit.export.variants'}\n"
        "exports = {name for name in sys.modules if name.startswith('keras_vit.export')}\n"
        "print(sorted(heavy & set(sys.modules) | exports - light))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.stdout.strip() == "[]", result.stderr


def test_a_layer_and_its_file_have_one_name():
    public = [path for path in files("keras_vit/layers") if not path.name.startswith("_")]
    for path in public:
        classes = [n.name for n in ast.parse(path.read_text()).body if isinstance(n, ast.ClassDef)]
        assert [name.lower() for name in classes] == [path.stem.replace("_", "")]


@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="jax is not installed")
def test_models_and_training_work_where_there_is_no_tensorflow(tmp_path):
    program = (
        "import sys\n"
        "class Absent:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in ('tensorflow', 'tensorflow_datasets', 'torch'):\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Absent())\n"
        "from keras_vit.training.recipe import override\n"
        "from keras_vit.training.recipes import find_recipe\n"
        "from keras_vit.training.run import train\n"
        "changes = ['epochs=1', 'num_layers=1', 'randaugment_layers=0']\n"
        "recipe = override(find_recipe('vit_digits').RECIPE, changes)\n"
        "print(train(recipe, sys.argv[1]).metrics['backend'])\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "run")],
        env={**os.environ, "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
    )
    assert result.stdout.strip() == "jax", result.stderr[-2000:]
    assert (tmp_path / "run" / "report" / "index.html").is_file()


def consoles(path):
    """The calls of rich's Console in a file, each the set of its keywords that are False."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "Console":
            yield {word.arg for word in node.keywords if getattr(word.value, "value", None) is False}


@pytest.mark.parametrize("folder", ["keras_vit", "training", "export"])
def test_names_between_colons_are_shown_as_they_are_and_not_as_emoji(folder):
    """As in `folder:phone: 12 images`, which rich changes to a telephone."""
    assert all("emoji" in words for path in files(folder) for words in consoles(path))


@pytest.mark.parametrize("folder", ["keras_vit", "training", "export"])
def test_warnings_are_issued_by_the_function_that_finds_the_line_of_the_user(folder):
    found = [path.name for path in files(folder) if "warnings.warn(" in path.read_text(encoding="utf-8")]
    assert found == ["errors.py"] * (folder == "keras_vit")
