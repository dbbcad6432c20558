import numpy as np
import pytest

from keras_vit.errors import InputError
from keras_vit.training.data import storage
from keras_vit.training.data.dataset import Split
from keras_vit.training.data.storage import allocate, resize


@pytest.fixture
def small_memory(monkeypatch):
    monkeypatch.setattr(storage, "MEMORY_LIMIT", 100)


def test_small_arrays_are_in_memory():
    assert type(allocate((2, 3))) is np.ndarray


def test_large_arrays_are_in_a_file_that_leaves_nothing_behind(small_memory, monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    images = allocate((11, 5, 2))
    assert isinstance(images, np.memmap) and images.shape == (11, 5, 2) and images.dtype == np.uint8
    images[:] = 7
    assert int(images.sum()) == 7 * 110
    assert not list(tmp_path.iterdir())


def test_a_disk_that_is_too_small_is_named(monkeypatch):
    with pytest.raises(InputError, match="TMPDIR"):
        allocate((2**20, 2**40))


def test_rows_are_taken_in_order_also_out_of_a_file(small_memory):
    images = allocate((60, 2, 2, 1))
    images[:] = np.arange(60, dtype=np.uint8).reshape(-1, 1, 1, 1)
    part = Split(images, np.arange(60)).take(np.array([50, 3, 7] * 10))
    assert isinstance(part.images, np.memmap)
    assert part.labels[:3].tolist() == part.images[:3, 1, 1, 0].tolist() == [50, 3, 7]


def test_images_are_stretched_as_a_single_one_is():
    images = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), dtype=np.uint8)
    assert resize(images, (8, 8)) is images
    resized = resize(images, (5, 12))
    assert resized.shape == (4, 5, 12, 3)
    np.testing.assert_array_equal(resized[2], storage.resize_image(images[2], (5, 12)))


def test_many_images_are_resized_in_their_order_and_an_error_is_raised():
    images = np.arange(3000, dtype=np.uint16).astype(np.uint8).reshape(-1, 1, 1, 1)
    resized = resize(images, (2, 2))
    np.testing.assert_array_equal(resized[:, 1, 1, 0], images.ravel())

    def prepare(image):
        if image[0, 0, 0] == 7:
            raise InputError("the seventh")
        return np.zeros((2, 2, 1))

    with pytest.raises(InputError, match="the seventh"):
        resize(images, (2, 2), prepare)
