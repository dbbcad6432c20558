"""One geometry holds from training to the file of an app."""

import dataclasses
import json
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from keras_vit import InputError, pretrained
from keras_vit.errors import DataWarning
from keras_vit.io.preprocessing import GEOMETRIES, Preprocessing
from keras_vit.training import ImageRecipe, load_data, train
from keras_vit.training.run import evaluate, load_run
from keras_vit.training.tasks import task_of

SOURCE = Path(__file__).parents[1] / "pretrained" / "fixtures" / "timm_vit"
LINEAR = ImageRecipe(model="linear", image_size=8, epochs=1, batch_size=8, validation_fraction=0.3)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Wide and tall photographs whose centre square alone tells the class."""
    folder, rng = tmp_path_factory.mktemp("photos"), np.random.default_rng(0)
    for name, level in (("bright", 180), ("dark", 40)):
        (folder / name).mkdir()
        for number in range(16):
            image = rng.integers(0, 256, (16, 48, 3)).astype("uint8")
            image[:, 16:32] = level + rng.integers(-20, 20, (16, 16, 3))
            image = image if number % 2 else image.transpose(1, 0, 2)
            Image.fromarray(image).save(folder / name / f"{number}.png")
    return folder


def pixels(data):
    return {tuple(image.ravel()) for split in data.splits.values() for image in split.images}


def files_prepared(folder, prepare):
    return {tuple(prepare(Image.open(path)).ravel()) for path in folder.rglob("*.png")}


@pytest.mark.parametrize("geometry", [None, *GEOMETRIES])
def test_photographs_are_loaded_by_their_geometry_and_the_centre_by_default(photos, geometry):
    recipe = dataclasses.replace(LINEAR, data=f"folder:{photos}", geometry=geometry)
    expected = files_prepared(photos, Preprocessing.of(geometry or "center_crop", 8))
    assert pixels(task_of(recipe).load_data()) == expected
    assert pixels(load_data(f"folder:{photos}", image_size=8, geometry=geometry)) == expected


def test_sets_of_a_fixed_size_are_stretched_as_before_unless_a_geometry_is_given(tmp_path):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (40, 12, 24, 2)).astype("uint8")
    np.savez(tmp_path / "wide.npz", images=images, labels=np.arange(40) % 2)
    recipe = dataclasses.replace(LINEAR, data=f"npz:{tmp_path / 'wide.npz'}")
    for geometry in (None, "stretch", "center_crop"):
        data = task_of(dataclasses.replace(recipe, geometry=geometry)).load_data()
        prepare = Preprocessing.of(geometry or "stretch", 8)
        assert pixels(data) == {tuple(prepare(image).ravel()) for image in images}


def test_a_geometry_and_a_function_that_prepares_contradict_each_other(photos):
    with pytest.raises(InputError, match="Expected geometry or prepare, received both"):
        load_data(f"folder:{photos}", geometry="stretch", prepare=Preprocessing.of("stretch", 8))
    with pytest.raises(InputError, match="geometry to be one of center_crop, letterbox, stretch"):
        load_data(f"folder:{photos}", geometry="squash")


def test_image_data_that_a_function_of_the_user_returns_decide_too(photos, tmp_path):
    (tmp_path / "mine.py").write_text(
        "from keras_vit.training import load_data\n"
        f"def boxed(): return load_data('folder:{photos}', image_size=8, geometry='letterbox')\n"
        f"def cut(): return load_data('folder:{photos}', image_size=8, prepare=lambda image: image[:8, :8])\n"
    )
    task = task_of(LINEAR.replace(data=f"{tmp_path}/mine.py:boxed"))
    assert pixels(task.load_data()) == files_prepared(photos, Preprocessing.of("letterbox", 8))
    assert task.known.geometry == "letterbox"
    with pytest.raises(InputError, match="recipe has geometry=stretch, but the data .* by letterbox"):
        task_of(LINEAR.replace(data=f"{tmp_path}/mine.py:boxed", geometry="stretch")).load_data()
    with pytest.warns(DataWarning, match="prepared by a function, which no file of the run can contain"):
        task_of(LINEAR.replace(data=f"{tmp_path}/mine.py:cut")).load_data()


def test_colours_and_windows_need_a_preparation_that_obeys_them(photos):
    with pytest.raises(InputError, match="received a function as prepare"):
        load_data(f"folder:{photos}", prepare=lambda image: image[:8, :8], background="black")
    for option in ({"background": "no colour"}, {"sixteen_bit": "9:1"}):
        with pytest.raises(InputError, match="Expected (background|sixteen_bit) to be"):
            load_data(f"folder:{photos}", **option)
    own = Preprocessing.of("letterbox", 8)
    data = load_data(f"folder:{photos}", image_size=8, prepare=own, background="black", sixteen_bit="0:99")
    assert data.preparation == dataclasses.replace(own, background=(0, 0, 0), window=(0, 99))


@pytest.fixture(scope="module")
def run(photos, tmp_path_factory):
    recipe = dataclasses.replace(LINEAR, data=f"folder:{photos}", epochs=2)
    return train(recipe, tmp_path_factory.mktemp("run"))


def test_a_run_writes_its_geometry_down_and_evaluates_by_it(run, photos, tmp_path, capsys):
    known = json.loads(run.folder.preprocessing.read_text())
    scaling = {"mean": [0.0] * 3, "std": [1.0] * 3}  # of this model
    assert known == json.loads(json.dumps(dataclasses.asdict(Preprocessing.of("center_crop", 8)))) | scaling
    assert evaluate(run.folder.path) == run.metrics
    letterbox = dataclasses.asdict(Preprocessing.of("letterbox", 8))
    copied = shutil.copytree(run.folder.path, tmp_path / "copied")
    (copied / "preprocessing.json").write_text(json.dumps(letterbox))
    assert pixels(load_run(copied).data) == files_prepared(photos, Preprocessing.of("letterbox", 8))
    main = pytest.importorskip("keras_vit.__main__").main
    assert main(["evaluate", str(copied)]) == 0
    assert "resized to fit into 8 x 8" in capsys.readouterr().err


def recorded(run):
    return Preprocessing.from_json(json.loads(run.folder.preprocessing.read_text()), "x")


def test_data_that_were_loaded_before_decide_what_is_written_down(photos, tmp_path):
    recipe = LINEAR.replace(data=f"folder:{photos}")
    for geometry in GEOMETRIES:
        data = load_data(f"folder:{photos}", image_size=8, geometry=geometry, validation_fraction=0.3)
        task = task_of(recipe)
        assert task.take(data) is data
        assert task.known == data.preparation == Preprocessing.of(geometry, 8)
    run = train(recipe, tmp_path / "run", data=data)
    assert recorded(run).geometry == "stretch"
    assert pixels(load_run(run.folder.path).data) == pixels(data)


def test_data_that_contradict_the_recipe_or_the_run_are_refused(photos, run, tmp_path):
    data = load_data(f"folder:{photos}", image_size=8, geometry="letterbox")
    with pytest.raises(InputError, match="recipe has geometry=stretch, but the data .* by letterbox. Load"):
        train(LINEAR.replace(geometry="stretch"), tmp_path / "run", data=data)
    assert not (tmp_path / "run").exists()
    with pytest.raises(InputError, match="run has geometry=center_crop, but the data .* by letterbox"):
        evaluate(run.folder.path, data=data)


def test_data_prepared_by_a_function_are_described_by_the_recipe_with_a_warning(photos):
    data = load_data(f"folder:{photos}", image_size=8, prepare=lambda image: image[:8, :8])
    recipe = LINEAR.replace(data=f"folder:{photos}")
    with pytest.warns(DataWarning, match="prepared by a function, which no file .* whole image, stretched"):
        assert task_of(recipe).take(data) is data
    task = task_of(recipe.replace(geometry="letterbox"))
    assert task.take(data) is data and task.known.geometry == "letterbox"


def test_a_window_chosen_by_the_data_is_written_down_with_them(tmp_path):
    rng = np.random.default_rng(0)
    for name, level in (("low", 300), ("high", 2000)):
        (tmp_path / "grey" / name).mkdir(parents=True)
        for number in range(16):
            values = (level + rng.integers(0, 900, (8, 8))).astype("uint16")
            Image.fromarray(values).save(tmp_path / "grey" / name / f"{number}.png")
    data = load_data(f"folder:{tmp_path / 'grey'}", image_size=8, sixteen_bit="data")
    task = task_of(LINEAR)
    assert task.take(data) is data
    assert task.known.window == data.window == data.preparation.window
    assert data.window[0] >= 300 and data.window[1] < 2900


WIDE = np.random.default_rng(0).integers(0, 256, (40, 12, 24, 3)).astype("uint8")
LABELS = np.arange(40) % 2


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 5

    def __getitem__(self, index):
        rows = slice(8 * index, 8 * index + 8)
        return WIDE[rows], LABELS[rows]


def a_dataset():
    tf = pytest.importorskip("tensorflow")
    return tf.data.Dataset.from_tensor_slices((WIDE, LABELS)).batch(7)


@pytest.mark.parametrize("given", [lambda: (WIDE, LABELS), a_dataset, Batches])
def test_arrays_and_datasets_are_prepared_as_the_recipe_says(given):
    for geometry in ("center_crop", None):
        task, prepare = task_of(LINEAR.replace(geometry=geometry)), Preprocessing.of(geometry or "stretch", 8)
        data = task.take(given())
        assert pixels(data) == {tuple(prepare(image).ravel()) for image in WIDE}
        assert task.known == data.preparation == prepare


def test_a_run_on_given_data_is_not_evaluated_on_others(tmp_path, capsys):
    labels = np.arange(400) % 10  # as many classes as the data of the recipe have
    images = np.random.default_rng(0).integers(0, 256, (400, 8, 8, 1)).astype("uint8")
    recipe = ImageRecipe(data="digits", model="linear", epochs=1)
    run = train(recipe, tmp_path / "run", data=(images, labels))
    message = "trained on data that were given in Python: data=digits of its recipe, or their splits, are"
    with pytest.raises(InputError, match=message):
        evaluate(tmp_path / "run")
    assert evaluate(tmp_path / "run", data=(images, labels)) == run.metrics
    main = pytest.importorskip("keras_vit.__main__").main
    assert main(["evaluate", str(tmp_path / "run")]) == 2
    assert message in capsys.readouterr().err


def as_old_run(folder, to):
    """A run as versions without the field wrote it."""
    copied = shutil.copytree(folder, to)
    (copied / "preprocessing.json").unlink()
    recipe = json.loads((copied / "recipe.json").read_text())
    del recipe["recipe"]["geometry"]
    (copied / "recipe.json").write_text(json.dumps(recipe))
    return copied


def test_runs_of_earlier_versions_stretch_as_they_were_trained_also_when_resumed(run, photos, tmp_path):
    old = as_old_run(run.folder.path, tmp_path / "old")
    stretched = files_prepared(photos, Preprocessing.of("stretch", 8))
    assert pixels(load_run(old).data) == stretched
    with pytest.raises(InputError, match="differ from those that the run started with"):
        train(run.task.recipe.replace(epochs=3), old, resume=True)  # which saw the centre
    fresh = task_of(run.task.recipe).continuing(load_run(old).folder)
    assert pixels(fresh.load_data()) == stretched


def test_a_run_killed_before_it_wrote_its_geometry_is_resumed_with_the_one_it_had(run, photos, tmp_path):
    copied = shutil.copytree(run.folder.path, tmp_path / "copied")
    (copied / "preprocessing.json").unlink()
    expected = files_prepared(photos, Preprocessing.of("center_crop", 8))
    assert pixels(load_run(copied).data) == expected


def test_pretrained_weights_prepare_photographs_as_they_were_trained(photos):
    own = pretrained.preprocessing(SOURCE)
    assert own.geometry == "center_crop"
    recipe = ImageRecipe(data=f"folder:{photos}", pretrained=str(SOURCE), validation_fraction=0.3)
    for geometry in (None, "center_crop"):
        data = task_of(recipe.replace(geometry=geometry)).load_data()
        assert pixels(data) == files_prepared(photos, own)
    with pytest.raises(InputError, match="expect geometry=center_crop, received geometry=letterbox. Leave"):
        task_of(recipe.replace(geometry="letterbox")).load_data()


def test_the_mean_and_deviation_of_the_model_are_written_down_with_the_geometry(photos, tmp_path):
    recipe = dataclasses.replace(
        LINEAR, data=f"folder:{photos}", normalization="standardize", geometry="letterbox"
    )
    run = train(recipe, tmp_path / "run")
    known = Preprocessing.from_json(json.loads(run.folder.preprocessing.read_text()), "x")
    assert known.geometry == "letterbox" and known.fill == 0.5
    train_images = run.data.train.images[:] / 255
    np.testing.assert_allclose(known.mean, train_images.mean((0, 1, 2)), atol=1e-6)
    np.testing.assert_allclose(known.std, train_images.std((0, 1, 2)), atol=1e-6)
    assert pixels(load_run(run.folder.path).data) == pixels(run.data)  # the border is still grey
