import numpy as np
import pytest

from keras_vit import InputError
from keras_vit.training.data.order import (
    Sampling,
    balanced_order,
    batch_uniforms,
    epoch_order,
    steps_per_epoch,
)


def test_an_epoch_takes_each_image_at_most_once_and_fills_its_batches():
    order = epoch_order(seed=3, epoch=0, num_images=23, batch_size=4)
    assert order.shape == (5, 4) and len(np.unique(order)) == 20


def test_epochs_and_seeds_have_orders_of_their_own():
    orders = [epoch_order(seed, epoch, 64, 8).tobytes() for seed in (0, 1) for epoch in (0, 1)]
    assert len(set(orders)) == 4
    assert orders[0] == epoch_order(0, 0, 64, 8).tobytes()


def test_the_steps_of_an_epoch_share_one_order_that_none_can_change():
    order = epoch_order(5, 1, 64, 8)
    assert epoch_order(5, 1, 64, 8) is order
    with pytest.raises(ValueError, match="read-only"):
        order[0, 0] = 0


def test_random_numbers_differ_by_seed_epoch_and_step():
    keys = [(seed, epoch, step) for seed in (0, 1) for epoch in (0, 1, 2) for step in (0, 1, 2)]
    drawn = [batch_uniforms(*key, (8, 3)) for key in keys]
    assert len({numbers.tobytes() for numbers in drawn}) == len(keys)
    np.testing.assert_array_equal(drawn[4], batch_uniforms(*keys[4], (8, 3)))
    assert all(numbers.min() >= 0 and numbers.max() < 1 for numbers in drawn)


@pytest.mark.parametrize("batch_size", [0, -1, 1.5, "8", True])
def test_an_invalid_batch_size_is_refused(batch_size):
    with pytest.raises(InputError, match="batch_size to be a whole number"):
        steps_per_epoch(100, batch_size)


def test_fewer_images_than_a_batch_are_refused():
    with pytest.raises(InputError, match="one batch of 8 training images, received 7"):
        steps_per_epoch(7, 8)


def test_balanced_epochs_have_each_class_equally_often():
    strata = np.array([0] * 90 + [1] * 8 + [2] * 2)
    order = balanced_order(seed=1, epoch=0, strata=strata, batch_size=10)
    assert order.shape == (10, 10)
    rows = order.ravel()
    assert sorted(np.bincount(strata[rows]).tolist()) == [33, 33, 34]
    assert len(set(rows[strata[rows] == 0])) == 33 or len(set(rows[strata[rows] == 0])) == 34
    assert np.bincount(rows, minlength=100)[90:98].min() >= 4  # 33 of 8 images: each 4 or 5 times
    assert not np.array_equal(order, balanced_order(1, 1, strata, 10))
    np.testing.assert_array_equal(order, Sampling(100, strata).order(1, 0, 10))
    np.testing.assert_array_equal(Sampling(100).order(1, 0, 10), epoch_order(1, 0, 100, 10))
