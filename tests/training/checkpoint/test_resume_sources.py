"""Runs on image files, killed with -9 within an epoch in their own process, end as if never stopped."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from keras_vit.training import ImageRecipe, load_data
from keras_vit.training.checkpoint.state_file import read_state
from keras_vit.training.data.shards import pack
from keras_vit.training.fit import fit

SOURCES = ["folder", "table", "shards", "module"]
pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no kill -9 here")


@pytest.fixture
def photos(tmp_path):
    generator = np.random.default_rng(0)
    rows = ["path,label"]
    for number in range(72):
        name = ("cat", "dog")[number % 2]
        path = tmp_path / "photos" / name / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = generator.integers(0, 256, (6, 8, 3), dtype="uint8")
        Image.fromarray(pixels).resize((64, 48), Image.Resampling.BICUBIC).save(path)
        rows.append(f"{name}/{number}.jpg,{name}")
    (tmp_path / "photos" / "table.csv").write_text("\n".join(rows))
    (tmp_path / "own.py").write_text(
        "from keras_vit.training import load_data\n"
        "def photos():\n"
        f"    return load_data('folder:{tmp_path / 'photos'}', image_size=16)\n"
    )
    return tmp_path / "photos"


def spec_of(source, photos):
    if source == "shards":
        pack(load_data(f"folder:{photos}"), photos.parent / "packed")
    return {
        "folder": f"folder:{photos}",
        "table": f"table:{photos / 'table.csv'}",
        "shards": f"shards:{photos.parent / 'packed'}",
        "module": f"{photos.parent / 'own.py'}:photos",
    }[source]


def last_state(run):
    return read_state(sorted((run / "state").glob("*.state"))[-1])


def killed(recipe, run, cache):
    """Trains in another process and kills it in the second epoch, after a state within it was saved."""
    recipe_file = run.parent / "recipe.py"
    fields = ", ".join(f"{name}={value!r}" for name, value in recipe.changed().items())
    recipe_file.write_text(f"from keras_vit.training import ImageRecipe\nRECIPE = ImageRecipe({fields})\n")
    command = [sys.executable, "-m", "keras_vit", "train", str(recipe_file), "--run-dir", str(run)]
    environment = {**os.environ, "KERAS_VIT_CACHE": str(cache), "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen([*command, "--checkpoint-every", "1"], env=environment)
    try:
        while process.poll() is None:
            states = sorted((run / "state").glob("*.state")) if (run / "state").exists() else []
            if states and read_state(states[-1])[1]["epoch"] >= 1:
                break
            time.sleep(0.01)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == -signal.SIGKILL, "the training had ended"


@pytest.mark.slow
@pytest.mark.parametrize("cached", ["cache", "off"])
@pytest.mark.parametrize("source", SOURCES)
def test_a_killed_run_ends_bit_for_bit_as_one_that_was_not(source, cached, photos, tmp_path, monkeypatch):
    cache = tmp_path / "cache" if cached == "cache" else "off"
    monkeypatch.setenv("KERAS_VIT_CACHE", str(cache))
    recipe = ImageRecipe(
        data=spec_of(source, photos),
        image_size=16,
        model="cnn",
        variant="3x3",
        epochs=40,
        batch_size=4,
        crop_area=0.3,
        flip=True,
        mixup_alpha=0.2,
    )
    killed(recipe, tmp_path / "run", cache)
    before = last_state(tmp_path / "run")[1]
    assert (before["epoch"], before["step"]) != (recipe.epochs, 0)
    fit(recipe, tmp_path / "run", resume=True)
    fit(recipe, tmp_path / "whole")
    (arrays, document), (expected, expected_document) = map(
        last_state, (tmp_path / "run", tmp_path / "whole")
    )
    assert document["epoch"] == expected_document["epoch"] == recipe.epochs
    for array, value in zip(arrays, expected, strict=True):
        np.testing.assert_array_equal(array, value)
