import os
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_vit.errors import InputError
from keras_vit.training.data import load_data
from keras_vit.training.data.sources import LoadOptions
from keras_vit.training.data.sources import tfds as tfds_source

tfds = pytest.importorskip("tensorflow_datasets", exc_type=ImportError)


def read_tfds(name, image_size=None, data_dir=None):
    return tfds_source.load(name, LoadOptions(image_size, data_dir))


class OfflinePhotos(tfds.core.GeneratorBasedBuilder):
    """Images of various sizes, made up while preparing; the test split has no labels."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        features = {
            "image": tfds.features.Image(shape=(None, None, 3)),
            "label": tfds.features.ClassLabel(names=["dark", "light"]),
            "boxes": tfds.features.Sequence(tfds.features.BBoxFeature()),
        }
        return self.dataset_info_from_configs(features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples(24), "test": self._generate_examples(4, labelled=False)}

    def _generate_examples(self, count, labelled=True):
        boxes = [tfds.features.BBox(0.0, 0.0, 1.0, 1.0)]
        for index in range(count):
            tone = index % 2 * 200 + index
            image = np.full((5 + index, 9, 3), tone, np.uint8)
            yield (
                index,
                {"image": image, "label": index % 2 if labelled else -1, "boxes": boxes * (index % 3)},
            )


class NamedTiles(tfds.core.GeneratorBasedBuilder):
    """Images of one size that have names."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        features = {
            "id": tfds.features.Text(),
            "image": tfds.features.Image(shape=(4, 4, 1)),
            "label": tfds.features.ClassLabel(num_classes=2),
        }
        return self.dataset_info_from_configs(features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager):
        return {
            "train": self._generate_examples("train", range(40)),
            "test": self._generate_examples("test", range(40, 44)),
        }

    def _generate_examples(self, split, numbers):
        for index in numbers:
            image = np.full((4, 4, 1), index, np.uint8)
            yield index, {"id": f"{split}_{index}é", "image": image, "label": index % 2}


class UnreachablePhotos(OfflinePhotos):
    """The same, but for files on a server that no network has."""

    VERSION = tfds.core.Version("1.0.0")
    url_infos = {"https://photos.invalid/photos.zip": None}


class PartlyLabelled(NamedTiles):
    """Images of one size, some of whose labels are unknown."""

    VERSION = tfds.core.Version("1.0.0")
    SHAPE = (4, 4, 1)

    def _info(self):
        features = {
            "image": tfds.features.Image(shape=self.SHAPE),
            "label": tfds.features.ClassLabel(num_classes=2),
        }
        return self.dataset_info_from_configs(features=tfds.features.FeaturesDict(features))

    def _generate_examples(self, split, numbers):
        for index in numbers:
            image = np.full((4, 4, self.SHAPE[-1]), index, np.uint8)
            yield index, {"image": image, "label": -1 if index in (40, 41) else index % 2}


class PartlyLabelledPhotos(PartlyLabelled):
    """The same of any size."""

    VERSION = tfds.core.Version("1.0.0")
    SHAPE = (None, None, 3)


@pytest.fixture
def shared_sets():
    shared = os.environ.get("KERAS_VIT_SHARED_DATA") or Path(__file__).parents[5] / "shared" / "data"
    if not Path(shared, "tfds").is_dir():
        pytest.skip(f"no tfds folder in {shared}; KERAS_VIT_SHARED_DATA names the folder of shared data")
    return Path(shared, "tfds")


def test_images_of_various_sizes_are_prepared_and_resized(tmp_path):
    data = load_data("tfds:offline_photos", image_size=(8, 6), data_dir=tmp_path)
    assert data.name == "tfds:offline_photos" and data.label_names == ("dark", "light")
    assert data.image_shape == (8, 6, 3)
    assert [len(split) for split in (data.train, data.validation, data.test)] == [20, 2, 2]
    assert "split test left out: its labels are unknown, -1 or none" in data.found
    for split in (data.train, data.validation, data.test):
        np.testing.assert_array_equal(np.asarray(split.images).mean(axis=(1, 2, 3)) > 128, split.labels == 1)


def test_images_are_called_by_their_names_in_the_set(tmp_path):
    data = load_data("tfds:named_tiles", data_dir=tmp_path)
    for split, source in ((data.train, "train"), (data.validation, "train"), (data.test, "test")):
        pixels = np.asarray(split.images)[:, 0, 0, 0]
        assert split.names() == [f"{source}_{pixel}é" for pixel in pixels]


@pytest.mark.parametrize(("name", "image_size"), [("partly_labelled", None), ("partly_labelled_photos", 4)])
def test_rows_without_labels_are_left_out_with_a_line(tmp_path, name, image_size):
    data = load_data(f"tfds:{name}", data_dir=tmp_path, image_size=image_size)
    assert "2 of 4 rows of test left out: the label is unknown, -1 or none" in data.found
    assert sorted(np.asarray(data.test.images)[:, 0, 0, 0].tolist()) == [42, 43]


def test_images_of_various_sizes_need_an_image_size(tmp_path):
    with pytest.raises(InputError, match="vary in size. Set image_size"):
        read_tfds("offline_photos", data_dir=tmp_path)
    assert not any(tmp_path.iterdir())


def test_damaged_records_are_refused_with_the_folder(tmp_path):
    read_tfds("offline_photos", (4, 4), tmp_path)
    record = next(tmp_path.rglob("*train.tfrecord*"))
    record.write_bytes(record.read_bytes()[:-20])
    with pytest.raises(InputError, match=rf"{record.parent} are damaged"):
        read_tfds("offline_photos", (4, 4), tmp_path)


def test_a_set_that_cannot_be_downloaded_is_refused_soon(tmp_path):
    start = time.monotonic()
    with pytest.raises(InputError, match="not prepared in .* --data-dir, or go online"):
        read_tfds("unreachable_photos", (4, 4), tmp_path)
    assert time.monotonic() - start < 60


def test_an_unknown_set_is_refused_with_the_nearest_names(tmp_path):
    with pytest.raises(InputError, match="no set 'cifar_10'. Did you mean .*cifar10"):
        read_tfds("cifar_10", data_dir=tmp_path)


def test_an_unknown_configuration_is_refused(tmp_path):
    with pytest.raises(InputError, match="tfds:offline_photos/huge cannot be used"):
        read_tfds("offline_photos/huge", (4, 4), tmp_path)


def test_a_set_that_is_not_for_image_classification_is_refused(tmp_path):
    with pytest.raises(InputError, match="not an image classification set"):
        read_tfds("ag_news_subset", data_dir=tmp_path)


@pytest.mark.parametrize(
    ("name", "first_label", "counts"),
    [
        ("mnist", "4", [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]),
        pytest.param("fashion_mnist", "Pullover", [1000] * 10, marks=pytest.mark.slow),
    ],
)
def test_prepared_sets_are_read_without_a_network(name, first_label, counts, shared_sets):
    parts, names, *_ = read_tfds(name, data_dir=shared_sets)
    assert parts["train"].images.shape == (60_000, 28, 28, 1)
    assert parts["test"].images.shape == (10_000, 28, 28, 1)
    assert np.bincount(parts["test"].labels).tolist() == counts
    assert names[parts["train"].labels[0]] == first_label


@pytest.mark.slow
def test_cifar10_has_the_published_mean(shared_sets):
    data = load_data("tfds:cifar10", data_dir=shared_sets)
    assert [len(split) for split in (data.train, data.validation, data.test)] == [45_000, 5_000, 10_000]
    sums = sum(split.images.sum(axis=(0, 1, 2), dtype=np.int64) for split in (data.train, data.validation))
    np.testing.assert_allclose(sums / (50_000 * 1024), [125.3069, 122.9504, 113.8654], atol=1e-3)


def test_a_broken_image_in_a_prepared_set_is_refused_by_its_row(tmp_path, monkeypatch):
    def generate(self, count, labelled=True):
        for index in range(count):
            path = tmp_path / f"{index}.png"
            Image.new("RGB", (9, 9)).save(path)
            if index == 3:
                path.write_bytes(path.read_bytes()[:40])
            yield index, {"image": str(path), "label": index % 2, "boxes": []}

    monkeypatch.setattr(OfflinePhotos, "_generate_examples", generate)
    with pytest.raises(
        InputError, match="cannot be read: 17 in train, 1 in test. .* 17 in train of tfds:offline_photos"
    ):
        read_tfds("offline_photos", (4, 4), tmp_path / "prepared")
