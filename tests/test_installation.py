"""What a wheel and a source distribution hold, and what an installation leaves alone."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = ("keras_vit", "training", "export", "pyproject.toml", "README.md", "LICENSE")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy of what is packaged, with the links as links."""
    if not (ROOT / "pyproject.toml").is_file():
        pytest.skip("the tests are outside a checkout")
    folder = tmp_path_factory.mktemp("checkout")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            ignore = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=ignore)
        else:
            shutil.copy(ROOT / name, folder / name)
    return folder


def build(kind, folder, out):
    program = f"import setuptools.build_meta as b, sys; print(b.build_{kind}(sys.argv[1]))"
    command = [sys.executable, "-c", program, str(out)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return Path(out) / done.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def installed(checkout, tmp_path_factory):
    """A folder with the contents of the wheel, as an installation has them."""
    folder = tmp_path_factory.mktemp("site-packages")
    with zipfile.ZipFile(build("wheel", checkout, tmp_path_factory.mktemp("wheel"))) as wheel:
        wheel.extractall(folder)
    return folder


def run(program, cwd, site_packages):
    environment = {**os.environ, "PYTHONPATH": str(site_packages)}
    command = [sys.executable, "-c" if "\n" in program else "-m", program]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.split()


def test_a_wheel_installs_one_name(installed):
    tops = {path.name for path in installed.iterdir() if path.suffix != ".dist-info"}
    assert tops == {"keras_vit"}


def test_a_wheel_holds_every_file_of_the_folders(installed):
    folders = {"keras_vit": "keras_vit", "training": "keras_vit/training", "export": "keras_vit/export"}
    for source, place in folders.items():
        for path in (ROOT / source).rglob("*"):
            if path.is_file() and path.suffix != ".pyc":
                assert (installed / place / path.relative_to(ROOT / source)).is_file(), path


def test_a_wheel_of_the_source_distribution_is_the_same(checkout, installed, tmp_path):
    with tarfile.open(build("sdist", checkout, tmp_path)) as archive:
        archive.extractall(tmp_path, filter="data")
    folder = next(path for path in tmp_path.iterdir() if path.is_dir())
    with zipfile.ZipFile(build("wheel", folder, tmp_path)) as wheel:
        names = {name for name in wheel.namelist() if name.startswith("keras_vit/")}
    assert names == {
        str(path.relative_to(installed))
        for path in (installed / "keras_vit").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }


@pytest.mark.parametrize("with_init", [pytest.param(True, marks=pytest.mark.slow), False])
def test_a_projects_own_training_export_and_tests_stay_its_own(installed, tmp_path, with_init):
    (tmp_path / "training").mkdir()
    if with_init:
        (tmp_path / "training" / "__init__.py").write_text("")
    (tmp_path / "training" / "mine.py").write_text("X = 'training'\n")
    (tmp_path / "export.py").write_text("X = 'export'\n")
    (tmp_path / "tests.py").write_text("X = 'tests'\n")
    (tmp_path / "main.py").write_text(
        "import keras_vit, export, tests\n"
        "from training.mine import X\n"
        "import keras_vit.training.recipe, keras_vit.export.verification.record\n"
        "print(X, export.X, tests.X, keras_vit.__file__)\n"
    )
    *own, place = run("main", tmp_path, installed)
    assert own == ["training", "export", "tests"]
    assert Path(place).parent == installed / "keras_vit"
