import numpy as np
import pytest

from keras_vit.errors import InputError
from keras_vit.training.data.checks import as_images, check_data, check_parts
from keras_vit.training.data.dataset import ImageData, Split


def split(*labels, size=2):
    return Split(np.zeros((len(labels), size, size, 1), np.uint8), np.array(labels, np.int32))


def data(train, validation, test, names=("cat", "dog")):
    return ImageData(name="x", train=train, validation=validation, test=test, label_names=names)


def test_labels_below_0_are_refused():
    with pytest.raises(InputError, match="labels from 0 to 1 for 2 classes, received -1"):
        check_parts({"train": split(0, 1, -1)}, ("cat", "dog"), "class")


def test_uint8_images_are_passed_on():
    images = np.zeros((2, 3, 4, 1), np.uint8)
    assert as_images(images, "x") is images


def test_images_without_a_channel_axis_get_one():
    assert as_images(np.zeros((2, 3, 4), np.uint8), "x").shape == (2, 3, 4, 1)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int64, np.uint16])
def test_other_numbers_up_to_255_are_rounded(dtype):
    images = as_images(np.array([[[0, 100.5, 101.75, 255]]]).astype(dtype), "x")
    assert images.dtype == np.uint8
    expected = [0, 100, 102, 255] if np.issubdtype(dtype, np.floating) else [0, 100, 101, 255]
    assert images.ravel().tolist() == expected


@pytest.mark.parametrize("pixel", [np.nan, np.inf, -np.inf])
def test_pixels_that_are_not_finite_are_refused(pixel):
    images = np.full((2, 2, 2, 1), 9.0)
    images[1, 1, 0, 0] = pixel
    with pytest.raises(InputError, match="finite pixels in x_train.* 1 of 2 images: 1 .from 0"):
        as_images(images, "x_train")


@pytest.mark.parametrize("values", [[-1, 3], [0, 256], [-0.5, 200.0], [0, 1000.0]])
def test_pixels_out_of_range_are_refused(values):
    with pytest.raises(InputError, match="from 0 to 255 in x"):
        as_images(np.array(values).reshape(1, 1, 2, 1), "x")


def test_pixels_scaled_to_one_are_refused_with_the_mend():
    with pytest.raises(InputError, match="Multiply them by 255"):
        as_images(np.full((1, 2, 2, 1), 0.5), "x")


@pytest.mark.parametrize("images", [np.zeros((2, 4)), np.zeros((2, 0, 3, 1)), np.zeros((1, 2, 2, 2, 2))])
def test_other_shapes_of_images_are_refused(images):
    with pytest.raises(InputError, match="num_images, height, width, channels"):
        as_images(images, "x")


@pytest.mark.parametrize("dtype", [bool, complex, "U3"])
def test_other_types_of_images_are_refused(dtype):
    with pytest.raises(InputError, match="uint8 or float"):
        as_images(np.zeros((1, 2, 2), dtype), "x")


def test_good_parts_pass():
    check_parts({"train": split(0, 1, 1), "test": split(1)}, ("cat", "dog"), "class")


@pytest.mark.parametrize(
    ("parts", "names", "message"),
    [
        ({"train": split(0, 1, 2)}, ("a", "b"), "train labels from 0 to 1 for 2 classes, received 2"),
        ({"train": split(0, 1), "test": split(5)}, ("a", "b"), "test labels from 0 to 1"),
        ({"train": split(0, 0)}, ("a",), "two classes or more, received only a"),
        ({"train": split(0, 2)}, ("a", "b", "c"), "found none of b.*leave them out.$"),
        ({"train": split(1, 2)}, ("a", "b", "c"), "Labels count from 0"),
        ({"train": split(0, 1)}, ("a", "a"), "different name for each class"),
        ({"train": split(0, 1)}, ("a", "b\nc"), r"one line of text, received 'b\\nc'"),
        ({"train": split(0, 1)}, ("a", " "), "one line of text"),
        ({"train": split(0, 1)}, ("a", "\udcff"), "one line of text"),
        ({"train": split()}, (), "train split is empty"),
        ({"train": split(0, 1), "validation": split()}, ("a", "b"), "validation split is empty"),
        (
            {"train": Split(split(0, 1, 1).images, split(0, 1).labels)},
            ("a", "b"),
            "3 images and 2 labels",
        ),
    ],
)
def test_bad_parts_are_refused(parts, names, message):
    with pytest.raises(InputError, match=message):
        check_parts(parts, names, "class")


def test_data_with_an_empty_split_are_refused():
    with pytest.raises(InputError, match="Nothing is left for the validation split"):
        check_data(data(split(0, 1), split(), split(1)))


def test_splits_of_different_image_shapes_are_refused():
    with pytest.raises(
        InputError, match=r"test images of shape \(2, 2, 1\) as in training, received \(3, 3, 1\)"
    ):
        check_data(data(split(0, 1), split(1), split(1, size=3)))


def test_shape_and_number_of_classes_are_plain_values():
    good = data(split(0, 1), split(1), split(0))
    check_data(good)
    assert good.image_shape == (2, 2, 1) and good.num_classes == 2 and len(good.train) == 2
