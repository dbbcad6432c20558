import keras
import numpy as np
import pytest

from keras_vit.training.augmentation import Augmentation
from keras_vit.training.augmentation.operations.erasing import NUM_UNIFORMS, apply

SHAPE = (1000, 20, 30, 3)


def make_erased(rate):
    uniforms = np.random.default_rng(0).random((SHAPE[0], NUM_UNIFORMS), dtype="float32")
    images = np.full(SHAPE, -1, "float32")  # no noise is below 0
    erased, _ = apply(images, None, uniforms, Augmentation(erasing_rate=rate))
    return keras.ops.convert_to_numpy(erased)


def test_the_rate_is_the_share_of_images_with_a_rectangle():
    erased = make_erased(0.25)
    assert (erased >= 0).any(axis=(1, 2, 3)).mean() == pytest.approx(0.25, abs=0.04)


def test_what_is_erased_is_one_rectangle_within_the_limits_of_area():
    mask = make_erased(1.0)[..., 0] >= 0
    rows, columns = mask.any(axis=2), mask.any(axis=1)
    np.testing.assert_array_equal(mask, rows[:, :, None] & columns[:, None, :])
    assert (np.diff(rows.astype(int), prepend=0, append=0, axis=1) == 1).sum(axis=1).max() == 1
    share = mask.mean(axis=(1, 2))
    assert share.min() > 0.01 and 0.3 < share.max() < 0.36
    assert mask.any(axis=0).all()  # every place can be hit


def test_noise_fills_the_range_evenly_and_differs_from_image_to_image():
    erased = make_erased(1.0)
    noise = erased[erased >= 0]
    counts, _ = np.histogram(noise, bins=8, range=(0, 255))
    np.testing.assert_allclose(counts / len(noise), 1 / 8, atol=0.02)
    assert len(np.unique(erased[:, 10, 15, 0])) > 50
