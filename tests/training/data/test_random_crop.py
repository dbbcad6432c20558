import numpy as np
import pytest

from keras_vit.training.data.dataset import Split
from keras_vit.training.data.random_crop import RandomCrop


def gradient(height, width):
    """An image that shows where its parts come from: red counts rows, green columns."""
    rows, columns = np.mgrid[:height, :width]
    return np.stack([rows, columns, 0 * rows], axis=-1).astype("uint8")


@pytest.mark.parametrize(("width", "height"), [(640, 480), (480, 640), (300, 20), (7, 7), (1, 1)])
def test_parts_lie_in_the_image_and_have_the_shares_and_shapes_that_are_asked_for(width, height):
    crop, shares = RandomCrop(0.1, 2.0), []
    for uniforms in np.random.default_rng(0).random((500, RandomCrop.UNIFORMS)):
        left, top, right, bottom = crop.box(width, height, uniforms)
        assert 0 <= left < right <= width and 0 <= top < bottom <= height
        assert (
            right - left == width or bottom - top == height or 0.49 < (right - left) / (bottom - top) < 2.01
        )
        shares.append((right - left) * (bottom - top) / (width * height))
    assert max(shares) <= 1 + 1e-9
    if width == 640:  # nearly all parts fit
        assert min(shares) > 0.09 and 0.45 < np.mean(shares) < 0.6


def test_a_part_is_what_lies_there():
    image = gradient(100, 200)
    part = RandomCrop(0.25, 1.0)(image, np.array([0.0, 0.5, 1.0, 0.0]), (10, 10))
    side = np.sqrt(0.25 * 100 * 200)  # 70.7 pixels, at the right edge and the top
    rows, columns = part[..., 0].astype(int), part[..., 1].astype(int)
    assert abs(int(rows[0, 0]) - side / 20) < 2 and abs(int(columns[0, -1]) - (199 - side / 20)) < 2
    assert abs(int(rows[-1, 0]) - side * 19 / 20) < 2 and abs(int(columns[0, 0]) - (200 - side * 19 / 20)) < 2


def test_the_whole_image_is_one_of_the_parts():
    image = gradient(32, 32)
    whole = RandomCrop(0.25, 1.0)(image, np.array([1.0, 0.5, 0.3, 0.3]), (32, 32))
    np.testing.assert_array_equal(whole, image)


@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_images_of_any_channels_are_cropped(channels):
    images = np.random.default_rng(0).integers(0, 256, (4, 8, 6, channels), dtype="uint8")
    uniforms = np.random.default_rng(1).random((2, RandomCrop.UNIFORMS))
    parts = Split(images, np.arange(4)).cropped(np.array([3, 1]), RandomCrop(0.3), uniforms)
    assert parts.shape == (2, 8, 6, channels) and parts.dtype == np.uint8
    np.testing.assert_array_equal(
        parts[0, ..., 0],
        Split(images[..., :1], np.arange(4)).cropped([3], RandomCrop(0.3), uniforms[:1])[0, ..., 0],
    )
