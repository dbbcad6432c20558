"""Images that a user gives in Python, or as module:name."""

import keras
import numpy as np
import pytest

from keras_vit.errors import DataWarning, InputError
from keras_vit.training import load_data, memory
from keras_vit.training.data import ImageData

LABELS = np.arange(40) % 2
IMAGES = np.random.default_rng(0).integers(0, 100, (40, 6, 5, 3), dtype="uint8")
IMAGES[LABELS == 1] += 100  # so that each image shows its label


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 5

    def __getitem__(self, index):
        rows = slice(8 * index, 8 * index + 8)
        return IMAGES[rows], LABELS[rows]


def dataset(batch=None, images=IMAGES, labels=LABELS):
    import tensorflow as tf

    found = tf.data.Dataset.from_tensor_slices((images, labels))
    return found.batch(batch) if batch else found


GIVEN = {
    "arrays": lambda: (IMAGES, LABELS),
    "one-hot labels": lambda: (IMAGES, np.eye(2)[LABELS]),
    "floats": lambda: (IMAGES.astype("float32"), LABELS[:, None]),
    "a dataset": dataset,
    "batches of a dataset": lambda: dataset(7),
    "a dataset of one-hot labels": lambda: dataset(7, labels=np.eye(2)[LABELS]),
    "a PyDataset": Batches,
    "a function": lambda: lambda: (IMAGES, LABELS),
}


@pytest.mark.parametrize("kind", GIVEN)
def test_images_keep_their_labels(kind):
    data = load_data(GIVEN[kind]())
    assert data.image_shape == (6, 5, 3) and data.label_names == ("0", "1")
    assert sum(map(len, data.splits.values())) == 40
    for split in data.splits.values():
        np.testing.assert_array_equal(split.images.max(axis=(1, 2, 3)) >= 100, split.labels == 1)


class GreyBatches(Batches):
    def __getitem__(self, index):
        images, labels = super().__getitem__(index)
        return images[..., 0], labels


@pytest.mark.parametrize("labels", [LABELS, np.eye(2)[LABELS]], ids=["classes", "one-hot"])
@pytest.mark.parametrize("batch", [None, 8, 7], ids=["one by one", "full batches", "batches and a rest"])
def test_grey_images_need_no_axis_of_channels_in_batches_either(batch, labels):
    data = load_data(dataset(batch, IMAGES[..., 0], labels))
    assert data.image_shape == (6, 5, 1) and data.label_names == ("0", "1")
    assert sum(map(len, data.splits.values())) == 40
    for split in data.splits.values():
        np.testing.assert_array_equal(split.images.max(axis=(1, 2, 3)) >= 100, split.labels == 1)


def test_grey_batches_of_a_pydataset_need_no_axis_of_channels():
    assert load_data(GreyBatches()).image_shape == (6, 5, 1)


def test_channels_first_are_refused():
    first = np.moveaxis(np.zeros((40, 16, 16, 3), "uint8"), -1, 1)
    for given in ((first, LABELS), dataset(8, first), dataset(None, first)):
        with pytest.raises(InputError, match=r"\(40, 3, 16, 16\), which has the channels first"):
            load_data(given)


def test_images_with_four_channels_get_a_line():
    images = np.random.default_rng(0).integers(0, 256, (40, 6, 5, 4), dtype="uint8")
    line = "images have 4 channels, all of which the model gets as they are: none is transparency"
    assert (
        line in load_data((images, LABELS)).found and line not in load_data((images[..., :3], LABELS)).found
    )


def test_splits_of_other_channels_are_refused_with_what_helps():
    with pytest.raises(InputError, match=r"received \(6, 5, 1\). Give all of them the same channels"):
        load_data({"train": (IMAGES, LABELS), "test": (IMAGES[..., 0], LABELS)})


def test_splits_are_kept_and_names_are_those_of_the_dataset():
    train, test = dataset(8), dataset(8, IMAGES[:6], LABELS[:6])
    train.class_names = ["cat", "dog"]
    with pytest.warns(UserWarning, match="6 of 6 test images"):
        data = load_data({"train": train, "test": test})
    assert data.label_names == ("cat", "dog") and len(data.test) == 6 and len(data.train) == 36


def test_data_of_our_own_are_taken_as_they_are():
    data = load_data("digits")
    again = load_data(data)
    assert isinstance(again, ImageData) and again.test is data.test


def test_a_function_of_a_file_gives_data_by_its_name(tmp_path, monkeypatch):
    (tmp_path / "my_data.py").write_text(
        "import numpy as np\n"
        "def load():\n"
        "    return np.arange(40 * 75, dtype='uint8').reshape(40, 5, 5, 3), np.arange(40) % 4\n"
        "def fails():\n"
        "    raise RuntimeError('no disk')\n"
    )
    monkeypatch.chdir(tmp_path)
    for spec in ("my_data:load", f"{tmp_path}/my_data.py:load"):
        assert load_data(spec).num_classes == 4
    with pytest.raises(InputError, match="my_data:fails raised .*no disk"):
        load_data("my_data:fails")
    with pytest.raises(InputError, match="defines no loads"):
        load_data("my_data:loads")


BAD = {
    "a number": (3, "received int"),
    "images alone": (IMAGES, "received ndarray"),
    "fewer labels": ((IMAGES, LABELS[:9]), "40 images and 9 labels"),
    "images of the range from 0 to 1": ((IMAGES / 255, LABELS), "Multiply them by 255"),
    "whole floats as labels": ((IMAGES, LABELS * 1.0), "classes or numbers"),
    "labels that all have": ((IMAGES, np.ones((40, 3), int)), "have the label 0, 1, 2: leave it out"),
    "other splits": ({"fold1": (IMAGES, LABELS)}, "received fold1"),
    "labels of many classes": ((IMAGES, LABELS + 1000), "count classes from 0"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_read_is_refused(case):
    with pytest.raises(InputError, match=BAD[case][1]):
        load_data(BAD[case][0])


def test_datasets_that_cannot_be_read_are_refused():
    with pytest.raises(InputError, match="does not end"):
        load_data(dataset().repeat())
    with pytest.raises(InputError, match=r"elements of .* received EagerTensor"):
        load_data(dataset().map(lambda image, label: image))
    with pytest.raises(InputError, match="received an empty dataset"):
        load_data(dataset().take(0))


def test_a_generator_without_end_is_refused_before_memory_is_full(tmp_path, monkeypatch):
    import tensorflow as tf

    monkeypatch.setattr(memory, "MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "CGROUP", tmp_path)
    (tmp_path / "meminfo").write_text("MemAvailable:   100000 kB\n")

    def forever():
        while True:
            yield np.zeros((512, 512, 3), "uint8"), 0

    endless = tf.data.Dataset.from_generator(
        forever, output_signature=(tf.TensorSpec((512, 512, 3), tf.uint8), tf.TensorSpec((), tf.int32))
    )
    with pytest.raises(InputError, match="does not end, or does not fit into memory: .* 102.4 MB are free"):
        load_data(endless)


def test_what_is_read_into_memory_is_said(monkeypatch):
    two_splits = {"train": (IMAGES, LABELS), "test": (255 - IMAGES, LABELS)}
    assert (
        load_data(dataset(7))
        .found[-1]
        .endswith(
            "Dataset, as a whole in memory: 0.0 MB of pixels, and copied into the splits that are made of it"
        )
    )
    assert load_data(two_splits).found[-1].startswith("arrays, as a whole in memory: 0.0 MB of pixels, and")
    three = {**two_splits, "dev": (IMAGES[::-1] // 2, LABELS)}
    assert load_data(three).found[-1] == "arrays, as a whole in memory: 0.0 MB of pixels"


def test_a_dataset_larger_than_the_free_memory_is_warned_of_before_it_is_read(tmp_path, monkeypatch, recwarn):
    (tmp_path / "meminfo").write_text("MemAvailable:   20 kB\n")  # of 40 x 90 bytes a float32 image
    monkeypatch.setattr(memory, "MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "CGROUP", tmp_path)

    class OfFloats(Batches):
        def __getitem__(self, index):
            images, labels = super().__getitem__(index)
            return images.astype("float32"), labels

    load_data(Batches())
    assert not recwarn.list
    with pytest.warns(DataWarning, match="takes about 0.0 MB, 0.0 MB are free. Give uint8"):
        load_data(OfFloats())


def test_a_third_array_has_the_weights():
    weights = np.linspace(0, 1, len(LABELS))
    data = load_data((IMAGES, LABELS, weights))
    total = sum(split.weights.sum() for split in data.splits.values())
    assert total == pytest.approx(weights.sum(), rel=1e-5)
    import tensorflow as tf

    dataset = tf.data.Dataset.from_tensor_slices((IMAGES, LABELS, weights)).batch(7)
    again = load_data(dataset)
    np.testing.assert_allclose(again.train.weights, data.train.weights)
    with pytest.raises(
        InputError, match=r"a weight for each of 40 images of train of the data, received \(3,\)"
    ):
        load_data((IMAGES, LABELS, np.ones(3)))
    with pytest.raises(InputError, match="weights in all splits of the data, or in none"):
        load_data({"train": (IMAGES, LABELS, weights), "test": (IMAGES, LABELS)})
