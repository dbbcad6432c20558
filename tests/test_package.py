"""What `import keras_vit` alone gives: registered layers, lazy subpackages, types."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

import keras_vit

ROOT = Path(__file__).parent.parent
WITHOUT_TENSORFLOW = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("tensorflow", "torch"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
"""
LOADED = """
model = keras.models.load_model(sys.argv[1])
assert type(model.get_layer("encoder")).__module__ == "keras_vit.layers.transformer_encoder"
model.load_weights(sys.argv[1])
print(keras.backend.backend(), model.count_params())
"""


def run(program, *arguments, **environment):
    """The words that a program prints in a new process."""
    command = [sys.executable, "-c", f"import sys\n{program}", *map(str, arguments)]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.split()


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A saved model and the number of its parameters."""
    model = keras_vit.models.vit(
        hidden_dim=8, num_layers=1, num_heads=2, mlp_dim=8, patch_size=4, image_size=8, num_classes=3
    )
    model.save(path := tmp_path_factory.mktemp("saved") / "model.keras")
    return path, str(model.count_params())


@pytest.mark.parametrize(
    "imports",
    [
        pytest.param("import keras, keras_vit", marks=pytest.mark.slow),
        "import keras_vit, keras",
        pytest.param("from keras_vit import layers\nimport keras", marks=pytest.mark.slow),
        pytest.param("import keras_vit.models, keras", marks=pytest.mark.slow),
    ],
)
def test_a_saved_model_loads_after_importing_keras_and_keras_vit_in_any_order(imports, saved):
    path, count = saved
    assert run(f"{imports}\n{LOADED}", path)[1] == count


@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="jax is not installed")
@pytest.mark.parametrize(
    "imports", [pytest.param("import keras, keras_vit", marks=pytest.mark.slow), "import keras_vit, keras"]
)
def test_a_saved_model_loads_where_only_jax_is_installed(imports, saved):
    path, count = saved
    program = f"{WITHOUT_TENSORFLOW}\n{imports}\n{LOADED}"
    assert run(program, path, KERAS_BACKEND="jax") == ["jax", count]


def test_importing_keras_vit_alone_imports_neither_keras_nor_numpy():
    assert run("import keras_vit\nprint(*{'keras', 'numpy', 'tensorflow'} & set(sys.modules))") == []


def test_the_subpackages_are_attributes_and_are_listed():
    names = ["export", "layers", "models", "pretrained", "training"]
    program = f"import keras_vit\nfor name in {names}:\n    print(getattr(keras_vit, name).__name__)"
    assert run(program, KERAS_BACKEND="numpy") == [f"keras_vit.{name}" for name in names]
    assert {*names, "ConditionError", "InputError"} <= {*run("import keras_vit\nprint(*dir(keras_vit))")}


def test_an_unknown_attribute_is_an_attribute_error():
    with pytest.raises(AttributeError, match="No keras_vit attribute layer"):
        keras_vit.layer  # noqa: B018


@pytest.mark.skipif(importlib.util.find_spec("pyright") is None, reason="pyright is not installed")
def test_a_type_checker_follows_the_subpackages_and_reports_a_wrong_keyword(tmp_path):
    file = tmp_path / "user.py"
    file.write_text(
        "import keras_vit\n"
        "keras_vit.training\n"
        "keras_vit.export\n"
        "keras_vit.models.vit('Ti/16', num_classes=10)\n"
        "keras_vit.training.ImageRecipe(data='digits', variant='Pico/2', epochs=20, flip=True)\n"
        "keras_vit.training.TextRecipe(data='names', cell='gru')\n"
        "keras_vit.training.PairRecipe(data='dates', epochs=1)\n"
        "keras_vit.models.vit('Ti/16', num_clases=10)\n"
        "keras_vit.nothing\n"
    )
    command = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, file]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    errors = [line.strip() for line in done.stdout.splitlines() if " - error: " in line]
    assert len(errors) == 2, done.stdout
    assert "user.py:8:" in errors[0] and "num_clases" in errors[0]
    assert "user.py:9:" in errors[1] and "nothing" in errors[1]
