import io
import os

import numpy as np
import pytest
from PIL import Image

from keras_vit.errors import InputError
from keras_vit.training.data import load_data

datasets = pytest.importorskip("datasets")
os.environ["HF_HUB_OFFLINE"] = "1"


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", str(tmp_path / "hf-cache"))


def image(number):
    file = io.BytesIO()
    Image.new("RGB", (12, 10), (number, 0, 0)).save(file, "PNG")
    return {"bytes": file.getvalue(), "path": None}


def write(folder, count=30, splits=("train",), label=None, name="image"):
    """A folder of Parquet files as the hub has them."""
    kind = datasets.ClassLabel(names=["cat", "dog"]) if label is None else datasets.Value("string")
    features = datasets.Features({name: datasets.Image(), "label": kind})
    for split in splits:
        rows = {
            name: [image(number) for number in range(count)],
            "label": [number % 2 if label is None else label[number % 2] for number in range(count)],
        }
        table = datasets.Dataset.from_dict(rows, features=features)
        (folder / "data").mkdir(parents=True, exist_ok=True)
        table.to_parquet(folder / "data" / f"{split}-00000-of-00001.parquet")
    return f"hf:{folder}"


def reds(split):
    return split.images[:][:, 0, 0, 0].tolist()


def test_splits_labels_and_images_are_those_of_the_tables(tmp_path):
    with pytest.warns(UserWarning, match="pixel for pixel"):
        data = load_data(write(tmp_path / "set", splits=("train", "test")), image_size=8)
    assert data.label_names == ("cat", "dog") and data.found[0] == "columns: image image, label label"
    assert reds(data.test) == list(range(30)) and sorted(reds(data.train) + reds(data.validation)) == list(
        range(30)
    )
    for split in data.splits.values():
        assert [red % 2 for red in reds(split)] == split.labels.tolist()


def test_labels_may_be_texts_and_columns_are_chosen_by_type(tmp_path):
    data = load_data(write(tmp_path / "set", label=("b", "a"), name="picture"), image_size=8)
    assert data.label_names == ("a", "b")
    assert all(label == (red + 1) % 2 for red, label in zip(reds(data.train), data.train.labels, strict=True))


def test_broken_images_are_named_by_row(tmp_path):
    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=["a", "b"])})
    rows = {"image": [image(number) for number in range(20)], "label": [number % 2 for number in range(20)]}
    rows["image"][7] = {"bytes": b"no image", "path": None}
    (tmp_path / "data").mkdir()
    datasets.Dataset.from_dict(rows, features=features).to_parquet(tmp_path / "data" / "train.parquet")
    with pytest.raises(InputError, match="1 of 20 images in hf:.* cannot be read: 7 in train"):
        load_data(f"hf:{tmp_path}")


def test_equal_images_share_a_split(tmp_path):
    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=["a", "b"])})
    rows = {"image": [image(n // 4) for n in range(160)], "label": [n // 4 % 2 for n in range(160)]}
    (tmp_path / "data").mkdir()
    datasets.Dataset.from_dict(rows, features=features).to_parquet(tmp_path / "data" / "train.parquet")
    data = load_data(f"hf:{tmp_path}", image_size=8)
    assert not set(reds(data.train)) & set(reds(data.test)) and len(data.test) == 16


@pytest.mark.parametrize("name", ["nobody/no-such-set", "./no-such-folder"])
def test_a_set_that_does_not_exist_is_refused_in_one_line(name):
    with pytest.raises(InputError, match=f"hf:{name} cannot be loaded: .* a name of the hub") as error:
        load_data(f"hf:{name}")
    assert "\n" not in str(error.value)


def test_a_set_of_texts_is_refused(tmp_path):
    (tmp_path / "data").mkdir()
    datasets.Dataset.from_dict({"text": ["a", "b"], "label": [0, 1]}).to_parquet(
        tmp_path / "data" / "train.parquet"
    )
    with pytest.raises(InputError, match=r"Which column of hf:.* is the image\? It has text, label"):
        load_data(f"hf:{tmp_path}")


def test_an_array_is_what_the_images_become(tmp_path):
    data = load_data(write(tmp_path / "set"), image_size=(4, 6))
    assert np.asarray(data.train.images).shape == (len(data.train), 4, 6, 3)


def test_a_column_names_groups_in_all_splits(tmp_path):
    spec = write(tmp_path / "set", label=("b", "a"))
    rows = datasets.load_dataset(str(tmp_path / "set"))["train"]
    people = datasets.Dataset.from_dict({"person": [f"p{number // 3}" for number in range(30)]})
    datasets.concatenate_datasets([rows, people], axis=1).to_parquet(
        tmp_path / "set" / "data" / "train-00000-of-00001.parquet"
    )
    data = load_data(spec, image_size=8, label_column="label", group="column:person")
    sides = [{red // 3 for red in reds(split)} for split in data.splits.values()]
    assert sum(map(len, sides)) == len(set.union(*sides)) == 10
    with pytest.raises(InputError, match="name a column of hf:.* image, label, person"):
        load_data(spec, image_size=8, group="column:patient")
