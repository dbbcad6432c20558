import warnings

import numpy as np
import pytest

from keras_vit.training.data import DataWarning, load_data
from keras_vit.training.data.checks import listed, warn_balance, warn_duplicates, warn_outliers, warn_pixels
from keras_vit.training.data.dataset import ImageData, Split


def split(*labels, seed=0):
    images = np.random.default_rng(seed).integers(0, 256, (len(labels), 4, 4, 1), dtype=np.uint8)
    return Split(images, np.array(labels, np.int32))


def data(train, validation=None, test=None):
    return ImageData("x", train, validation or split(0, 1), test or split(0, 1), ("cat", "dog"))


def notices(function, *arguments):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        function(*arguments)
    assert all(warning.category is DataWarning for warning in caught)
    return [str(warning.message) for warning in caught]


def test_long_lists_are_cut_and_counted():
    assert listed("abc", 3) == "a, b, c"
    assert listed("abcde", 3) == "a, b, c and 2 more"


def test_images_that_are_in_two_splits_of_the_source_are_counted():
    train, test = split(*[0, 1] * 5), split(*[0, 1] * 4, seed=1)
    test.images[[3, 5]] = train.images[7]
    assert notices(warn_duplicates, {"train": train, "test": split(0, 1, seed=2)}, "npz:x") == []
    (line,) = notices(warn_duplicates, {"train": train, "test": test}, "npz:x")
    assert line.startswith("2 of 8 test images of npz:x are in its train split too")


def test_every_pair_of_splits_is_compared():
    train, other = split(0, 1), split(1, 0, seed=1)
    lines = notices(warn_duplicates, {"train": train, "validation": other, "test": other}, "x")
    assert len(lines) == 1 and "2 of 2 test images of x are in its validation split" in lines[0]


def test_equal_images_with_different_labels_are_named():
    train = split(0, 1, 0, 1)
    train.images[2] = train.images[0]
    assert notices(warn_duplicates, {"train": train}, "x") == []
    train.images[3] = train.images[0]
    (line,) = notices(warn_duplicates, {"train": train}, "x")
    assert line.startswith(
        "3 of 4 images of x are there with different labels, pixel for pixel: row 2 and row 3."
    )
    test = split(1, seed=1)
    test.images[0] = train.images[0]
    assert len(notices(warn_duplicates, {"train": train.take(np.array([0, 1])), "test": test}, "x")) == 2
    unknown = Split(train.images, np.array([[0, 1], [1, 0], [0, np.nan], [np.nan, 1]], "float32"))
    assert notices(warn_duplicates, {"train": unknown}, "x") == []


@pytest.mark.parametrize(("count", "lines"), [(9, 0), (10, 1)])
def test_classes_out_of_balance_are_reported(count, lines):
    found = notices(warn_balance, data(split(1, *[0] * count)))
    assert len(found) == lines
    assert all("10 training images of cat, 1 of dog" in line for line in found)


@pytest.mark.parametrize(("largest", "lines"), [(300.0, 0), (1e9, 1)])
def test_a_number_far_from_all_others_is_reported(largest, lines):
    ages = np.array([*range(40), largest], "float32")[:, None]
    train = Split(np.zeros((41, 2, 2, 3), "uint8"), ages)
    numbers = ImageData("x", train, train, train, label_names=("age",), label_kind="numbers")
    found = notices(warn_outliers, numbers)
    assert len(found) == lines and all(
        "is 1e+09, where 90 % of the training images" in line for line in found
    )


def test_a_class_without_images_in_another_split_is_reported():
    (line,) = notices(warn_balance, data(split(0, 1), test=split(1, 1)))
    assert line.startswith("The test split has no image of cat: nothing is measured for 1 of 2 classes")


@pytest.mark.parametrize(
    ("values", "line"), [((7, 7), "All pixels of the training images are 7"), ((0, 1), "0 or 1")]
)
def test_constant_and_scaled_pixels_are_reported(values, line):
    images = np.array(values, np.uint8).reshape(2, 1, 1, 1)
    assert line in notices(warn_pixels, data(Split(images, np.array([0, 1], np.int32))))[0]


def test_good_data_say_nothing():
    assert notices(load_data, "digits") == []


def test_doubtful_data_are_reported_when_a_file_is_loaded(tmp_path):
    train, test = split(*[0, 1] * 30), split(0, 0, 0, seed=1)
    test.images[0] = train.images[0]
    arrays = {"x_train": train.images, "y_train": train.labels, "x_test": test.images, "y_test": test.labels}
    np.savez(tmp_path / "a.npz", **arrays)
    lines = notices(load_data, f"npz:{tmp_path / 'a.npz'}")
    assert [line.split(" ", 3)[:3] for line in lines] == [["1", "of", "3"], ["The", "test", "split"]]
