import dataclasses
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import keras_vit.training
from keras_vit.errors import InputError
from keras_vit.training import ImageRecipe
from keras_vit.training.data import load_data
from keras_vit.training.load import show_data
from keras_vit.training.tasks import task_of


def write_npz(path, count=60, size=6):
    images = np.random.default_rng(0).integers(0, 256, (count, size, size, 3), dtype=np.uint8)
    np.savez(path, images=images, labels=np.arange(count) % 3, label_names=["cat", "dog", "owl"])
    return images


def test_the_embedded_digits_load_balanced_and_without_leaks():
    data = load_data("digits", test_fraction=0.2, validation_fraction=0.1)
    assert data.name == "digits" and data.image_shape == (8, 8, 1) and data.num_classes == 10
    assert abs(len(data.test) - 1797 * 0.2) <= 5 and abs(len(data.validation) - 1797 * 0.8 * 0.1) <= 5
    assert len(data.train) + len(data.validation) + len(data.test) == 1797
    for split in (data.train, data.validation, data.test):
        counts = np.bincount(split.labels, minlength=10)
        assert counts.max() - counts.min() <= 0.06 * len(split)
    sides = [{image.tobytes() for image in s.images} for s in (data.train, data.validation, data.test)]
    assert not (sides[0] & sides[1] or sides[0] & sides[2] or sides[1] & sides[2])


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"skip_broken": True}, "digits has no skip_broken, which is for folder:\\*, .* Leave it out"),
        ({"label_column": "kind"}, "digits has no label_column, which is for folder:"),
        ({"class_folders": "last"}, "digits has no class_folders, which is for folder:\\*\\. "),
    ],
)
def test_an_option_that_a_source_does_not_read_is_refused(option, message):
    with pytest.raises(InputError, match=message):
        load_data("digits", **option)


def test_images_are_resized_on_request_after_the_split():
    native, resized = load_data("digits"), load_data("digits", image_size=16, subset=50)
    assert resized.image_shape == (16, 16, 1) and len(resized.train) == 50
    assert load_data("digits", image_size=(10, 12), subset=50).image_shape == (10, 12, 1)
    np.testing.assert_array_equal(resized.test.labels, native.test.labels)


def test_an_npz_file_becomes_three_splits(tmp_path):
    images = write_npz(tmp_path / "animals.npz")
    data = load_data(f"npz:{tmp_path / 'animals.npz'}")
    assert data.name == "npz:animals.npz" and data.label_names == ("cat", "dog", "owl")
    assert [len(split) for split in (data.train, data.validation, data.test)] == [48, 6, 6]
    rows = {image.tobytes(): row for row, image in enumerate(images)}
    for split in (data.train, data.validation, data.test):
        assert [rows[image.tobytes()] % 3 for image in split.images] == split.labels.tolist()


def test_a_folder_of_images_becomes_three_splits(tmp_path):
    for index in range(20):
        folder = tmp_path / "tones" / ("dark" if index % 2 else "light")
        folder.mkdir(parents=True, exist_ok=True)
        tone = index if index % 2 else 255 - index
        Image.new("L", (10 + index, 8), tone).save(folder / f"{index}.png")
    data = load_data(f"folder:{tmp_path / 'tones'}", image_size=(8, 12))
    assert data.name == "folder:tones" and data.image_shape == (8, 12, 3)
    assert data.summary() == [
        "folder:tones: classes: the folders of tones, without splits",
        "train       16 images (dark: 8, light: 8)",
        "validation  2 images (dark: 1, light: 1)",
        "test        2 images (dark: 1, light: 1)",
    ]
    for split in (data.train, data.validation, data.test):
        np.testing.assert_array_equal(np.asarray(split.images).mean(axis=(1, 2, 3)) > 128, split.labels == 1)


def test_what_was_found_is_printed_as_it_is(capsys):
    data = dataclasses.replace(load_data("digits"), name="folder:phone", found=("passed over: [2] .db",))
    show_data(data, task_of(ImageRecipe(data="digits")))
    assert "folder:phone: passed over: [2] .db\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    "spec", ["foo", "cifar", "", "digits:8", "digits:", "tfds", "tfds:", "folder:", "mnist"]
)
def test_an_unknown_spec_is_refused_with_what_is_allowed(spec):
    with pytest.raises(
        InputError, match="Expected digits, folder:PATH, hf:NAME, npz:PATH, .* or module:name"
    ):
        load_data(spec)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"spec": None}, "received NoneType"),
        ({"spec": 3}, r"received int"),
        ({"lines": True}, r"load_data\(\) does not accept 'lines'"),
        ({"spec": "names", "image_size": 8}, r"load_text\(\) does not accept 'image_size'"),
        ({"spec": "names", "window": "8"}, r"window to be int or none, received '8' \(str\)"),
        ({"spec": "names", "test_fraction": 2.0}, "test_fraction from 1e-06 to below 1, received 2.0"),
        ({"test_fraction": "0.1"}, r"test_fraction to be float, received '0.1' \(str\)"),
        ({"subset": 2.5}, "subset to be int or none, received 2.5"),
        ({"seed": "a"}, "seed to be int, received 'a'"),
    ],
)
def test_options_of_another_kind_or_type_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        keras_vit.training.load_data(**{"spec": "digits", **options})


@pytest.mark.parametrize("name", ["validation_fraction", "test_fraction"])
@pytest.mark.parametrize("fraction", [0, 1, -0.1, float("nan")])
def test_a_fraction_outside_0_and_1_is_refused(name, fraction):
    with pytest.raises(InputError, match=name):
        load_data("digits", **{name: fraction})


@pytest.mark.parametrize("image_size", [0, "8", (8,), 8.5])
def test_a_bad_image_size_is_refused(image_size):
    with pytest.raises(InputError, match="image_size"):
        load_data("digits", image_size=image_size)


def test_one_class_only_is_refused(tmp_path):
    np.savez(tmp_path / "a.npz", images=np.zeros((5, 4, 4, 3), np.uint8), labels=np.zeros(5, int))
    with pytest.raises(InputError, match="two classes"):
        load_data(f"npz:{tmp_path / 'a.npz'}")
    (tmp_path / "one" / "cat").mkdir(parents=True)
    Image.new("RGB", (4, 4)).save(tmp_path / "one" / "cat" / "a.png")
    with pytest.raises(InputError, match="two classes or more, received only cat"):
        load_data(f"folder:{tmp_path / 'one'}", image_size=4)


def test_too_few_images_to_split_are_refused(tmp_path):
    images = np.arange(4, dtype=np.uint8).reshape(4, 1, 1, 1)
    np.savez(tmp_path / "a.npz", images=images, labels=[0, 0, 1, 1])
    with pytest.raises(InputError, match="Nothing is left for the validation split"):
        load_data(f"npz:{tmp_path / 'a.npz'}")


def test_splits_of_different_sizes_are_resized_to_image_size(tmp_path):
    small, large = np.zeros((40, 4, 4, 1), np.uint8), np.zeros((4, 6, 6, 1), np.uint8)
    small[:] = np.arange(40, dtype=np.uint8).reshape(-1, 1, 1, 1)
    labels = np.arange(40) % 2
    np.savez(tmp_path / "a.npz", x_train=small, y_train=labels, x_test=large, y_test=labels[:4])
    with pytest.raises(InputError, match="Set image_size"):
        load_data(f"npz:{tmp_path / 'a.npz'}")
    assert load_data(f"npz:{tmp_path / 'a.npz'}", image_size=6).test.images.shape == (4, 6, 6, 1)


def test_neither_tensorflow_nor_tfds_is_imported_for_data_that_do_not_need_them(tmp_path):
    pytest.importorskip("jax")
    write_npz(tmp_path / "a.npz")
    program = (
        "import sys; sys.modules['tensorflow'] = sys.modules['tensorflow_datasets'] = None\n"
        "from keras_vit.training.data import load_data\n"
        f"load_data('digits'); load_data('npz:{tmp_path / 'a.npz'}', image_size=8)"
    )
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
