import numpy as np

from keras_vit.training.data.sources import LoadOptions, digits


def read_digits():
    return digits.load("", LoadOptions())


def test_the_digits_are_the_1797_of_scikit_learn_with_all_of_the_grey_range():
    parts, names, *_ = read_digits()
    images, labels = parts["train"].images, parts["train"].labels
    assert images.shape == (1797, 8, 8, 1) and images.dtype == np.uint8
    assert images.min() == 0 and images.max() == 255 and len(np.unique(images)) == 17
    assert labels.dtype == np.int32 and np.bincount(labels).min() == 174
    assert names == tuple("0123456789")


def test_the_first_image_is_a_zero():
    image, label = read_digits()[0]["train"].images[0, :, :, 0], read_digits()[0]["train"].labels[0]
    assert label == 0
    assert image[3:5, 3:5].max() < 60 < image[3:5, 2].max()  # a hole with a rim
