import io
import os

import numpy as np
import pytest
from PIL import Image

from keras_vit.errors import DataWarning, InputError
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


def write_rows(folder, rows, features=None, split="train"):
    (folder / "data").mkdir(parents=True, exist_ok=True)
    table = datasets.Dataset.from_dict(rows, features=features)
    table.to_parquet(folder / "data" / f"{split}-00000-of-00001.parquet")
    return f"hf:{folder}"


def classes(*names):
    return datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=list(names))})


def labelled(labels, start=0):
    return {"image": [image(start + number) for number in range(len(labels))], "label": labels}


@pytest.mark.parametrize("unknown", [-1, None])
def test_a_split_without_labels_is_left_out_with_a_line(tmp_path, unknown):
    write_rows(tmp_path, labelled([0, 1] * 15), classes("cat", "dog"))
    spec = write_rows(tmp_path, labelled([unknown] * 30, 100), classes("cat", "dog"), "test")
    data = load_data(spec, image_size=8)
    assert "split test left out: its labels are unknown, -1 or none" in data.found
    assert sum(len(split) for split in data.splits.values()) == 30 and max(reds(data.test)) < 30


@pytest.mark.parametrize("unknown", [-1, None])
def test_rows_without_a_label_are_left_out_with_a_line(tmp_path, unknown):
    write_rows(tmp_path, labelled([0, 1] * 15 + [unknown] * 2), classes("cat", "dog"))
    spec = write_rows(tmp_path, labelled([unknown, *[0, 1] * 15], 100), classes("cat", "dog"), "test")
    data = load_data(spec, image_size=8)
    assert "2 of 32 rows of train left out: the label is unknown, -1 or none" in data.found
    assert "1 of 31 rows of test left out: the label is unknown, -1 or none" in data.found
    assert reds(data.test) == list(range(101, 131))
    assert sorted(reds(data.train) + reds(data.validation)) == list(range(30))
    assert [(red + 1) % 2 for red in reds(data.test)] == data.test.labels.tolist()


@pytest.mark.parametrize("unknown", [-1, None])
def test_training_without_a_label_is_refused(tmp_path, unknown):
    with pytest.raises(InputError, match="Expected labels in column label of hf:.* for training"):
        load_data(write_rows(tmp_path, labelled([unknown] * 30), classes("cat", "dog")))


def test_labels_that_are_no_named_classes_may_be_unknown_too(tmp_path):
    features = datasets.Features({"image": datasets.Image(), "label": datasets.Value("int64")})
    write_rows(tmp_path, labelled([3, 5] * 15), features)
    data = load_data(write_rows(tmp_path, labelled([-1] * 9, 100), features, "test"), image_size=8)
    assert data.label_names == ("3", "5") and max(reds(data.test)) < 30
    texts = datasets.Features({"image": datasets.Image(), "label": datasets.Value("string")})
    data = load_data(write_rows(tmp_path / "texts", labelled(["a", "b", None] * 10), texts), image_size=8)
    assert "10 of 30 rows of train left out: the label is unknown, -1 or none" in data.found
    spec = write_rows(tmp_path / "numbers", labelled([3, 5] * 15), features)
    write_rows(tmp_path / "numbers", labelled([-1] * 9, 100), features, "test")
    assert reds(load_data(spec, image_size=8, label_kind="numbers").test) == list(range(100, 109))
    data = load_data(write_rows(tmp_path / "kept", labelled([-1, 1] * 15), features), image_size=8)
    assert data.label_names == ("-1", "1")


def test_rows_without_an_image_are_as_broken_ones(tmp_path):
    rows = labelled([0, 1] * 15)
    rows["image"][7] = rows["image"][9] = None
    spec = write_rows(tmp_path, rows, classes("cat", "dog"))
    with pytest.raises(InputError, match="2 of 30 images in .* cannot be read: 7 in train, 9 .* found none"):
        load_data(spec, image_size=8)
    with pytest.warns(DataWarning, match="2 of 30 images .* They are left out"):
        data = load_data(spec, image_size=8, skip_broken=True)
    kept = sorted(red for split in data.splits.values() for red in reds(split))
    assert kept == [n for n in range(30) if n not in (7, 9)]


@pytest.mark.parametrize("kind", ["binary", "large_binary", "struct", "bytes alone", "two more columns"])
def test_bytes_of_images_are_read_without_metadata_of_datasets(tmp_path, kind):
    pyarrow = pytest.importorskip("pyarrow.parquet") and pytest.importorskip("pyarrow")
    contents = [image(number)["bytes"] for number in range(30)]
    if kind == "struct":
        column = pyarrow.array([{"bytes": content, "path": f"{n}.png"} for n, content in enumerate(contents)])
    elif kind == "bytes alone":
        column = pyarrow.array([{"bytes": content} for content in contents])
    else:
        column = pyarrow.array(
            contents, pyarrow.large_binary() if kind == "large_binary" else pyarrow.binary()
        )
    table = {"picture" if kind == "binary" else "image": column, "label": [n % 2 for n in range(30)]}
    if kind == "two more columns":
        table |= {"name": [f"{n}" for n in range(30)], "size": [1] * 30}
    pyarrow.parquet.write_table(pyarrow.table(table), tmp_path / "train.parquet")
    data = load_data(f"hf:{tmp_path}", image_size=8)
    for split in data.splits.values():
        assert [red % 2 for red in reds(split)] == split.labels.tolist() and len(split)


def test_changed_images_are_not_taken_from_the_cache_of_the_old_ones(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_VIT_CACHE", str(tmp_path / "cache"))

    def bitmap(number, top):
        pixels = np.full((64, 64, 3), number, "uint8")
        pixels[:15] = top
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "BMP")
        return {"bytes": file.getvalue(), "path": None}

    for top in (0, 255):
        rows = {"image": [bitmap(n + 50, top) for n in range(30)], "label": [n % 2 for n in range(30)]}
        spec = write_rows(tmp_path / "set", rows, classes("a", "b"))
        data = load_data(spec, image_size=64)
        assert {int(value) for value in data.train.images[:][:, :15].ravel()} == {top}
        again = load_data(spec, image_size=64)
        np.testing.assert_array_equal(again.train.images.decoder.stamps, data.train.images.decoder.stamps)


def test_a_column_names_the_splits_of_a_set_that_has_train_alone(tmp_path):
    features = datasets.Features({**classes("cat", "dog"), "split": datasets.Value("string")})
    rows = {**labelled([0, 1] * 15), "split": ["train", "train", "test"] * 10}
    spec = write_rows(tmp_path, rows, features)
    data = load_data(spec, image_size=8)
    assert data.found[0] == "columns: image image, label label, split split"
    assert reds(data.test) == list(range(2, 30, 3))
    assert len(load_data(spec, image_size=8, split_column="new").train) > 20
    named = datasets.Features({**features, "split": datasets.ClassLabel(names=["test", "train"])})
    data = load_data(write_rows(tmp_path / "classes", {**rows, "split": [1, 1, 0] * 10}, named), image_size=8)
    assert reds(data.test) == list(range(2, 30, 3)) and data.label_names == ("cat", "dog")
    rows["split"] = ["train", "train", "holdout"] * 10
    with pytest.raises(InputError, match="column split of hf:.* received 'holdout'.* split_column=new"):
        load_data(write_rows(tmp_path / "other", rows, features))


def test_a_column_of_splits_in_a_set_that_has_some_is_told(tmp_path):
    features = datasets.Features({**classes("cat", "dog"), "phase": datasets.Value("string")})
    for number, split in enumerate(("train", "test")):
        rows = {**labelled([0, 1] * 15, 100 * number), "phase": ["train", "test"] * 15}
        spec = write_rows(tmp_path, rows, features, split)
    data = load_data(spec, image_size=8)
    assert "column phase is not read, though it says 'test', 'train'" in data.found
    with pytest.raises(InputError, match="has splits, train, test. Leave split_column out"):
        load_data(spec, split_column="phase")
