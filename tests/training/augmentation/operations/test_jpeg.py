"""Compression in the graph loses what Pillow's files lose."""

import io

import keras
import numpy as np
import pytest
from PIL import Image

from keras_vit.errors import InputError
from keras_vit.training.augmentation import Augmentation, augment
from keras_vit.training.augmentation.operations.jpeg import compressed

QUALITIES = (10, 40, 50, 75, 90, 100)


def picture(height, width, channels):
    """Smooth shapes with edges and some noise, as photographs have them."""
    y, x = np.mgrid[:height, :width] / 9
    waves = np.stack([np.sin(x + 2 * y), np.cos(2 * x - y), np.sin(x * y / 9)], axis=-1)[..., :channels]
    noise = np.random.default_rng(0).normal(0, 6, (height, width, channels))
    pixels = 128 + 90 * waves + 40 * (x > y)[..., np.newaxis] + noise
    return np.clip(pixels, 0, 255).astype("uint8")


def by_pillow(pixels, quality):
    file = io.BytesIO()
    Image.fromarray(np.squeeze(pixels)).save(file, "JPEG", quality=quality, subsampling="4:2:0")
    return np.asarray(Image.open(file)).reshape(pixels.shape).astype(int)


@pytest.mark.parametrize("shape", [(48, 64, 3), (29, 37, 3), (32, 32, 1), (29, 37, 1)])
def test_what_is_lost_is_what_a_file_of_pillow_loses(shape):
    pixels = picture(*shape)
    images, qualities = np.stack([pixels] * len(QUALITIES)), np.array(QUALITIES, "float32")
    ours = keras.ops.convert_to_numpy(compressed(images, qualities)).astype(int)
    theirs = np.stack([by_pillow(pixels, quality) for quality in QUALITIES])
    lost = np.abs(theirs - pixels).mean(axis=(1, 2, 3))
    difference = np.abs(ours - theirs).mean(axis=(1, 2, 3))
    # libjpeg computes in integers, so that some coefficients near the middle of two steps round otherwise.
    assert (difference < 0.25 * lost + 0.5).all() and np.median(difference / lost) < 0.1  # 0.5: one rounding
    assert lost[0] > 2 * lost[-1]


def test_each_image_gets_a_quality_of_its_own_from_the_least_on():
    images = np.stack([picture(16, 16, 3)] * 4)
    uniforms = np.array([[0.0], [0.5], [0.999], [0.0]], "float32")
    changed, labels = augment(images, np.eye(4, dtype="float32"), uniforms, Augmentation(jpeg_quality=51))
    expected = compressed(images, np.array([51, 76, 100, 51], "float32"))
    np.testing.assert_array_equal(changed, expected)
    np.testing.assert_array_equal(labels, np.eye(4))
    with pytest.raises(InputError, match="jpeg_quality"):
        Augmentation(jpeg_quality=0)
