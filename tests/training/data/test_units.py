"""What stays together: held out by share, and divided into folds."""

import numpy as np
import pytest

from keras_vit.training.data.split import hold_out
from keras_vit.training.data.units import Units, connected

RNG = np.random.default_rng(0)


def hashes(count):
    return RNG.integers(0, 1 << 63, count, dtype=np.uint64)


def sides(groups, held):
    return set(groups[held].tolist()), set(groups[~held].tolist())


def grouped(per_class, size):
    """Groups of one class each."""
    groups = np.repeat(np.arange(sum(per_class)), size)
    strata = np.repeat(np.repeat(np.arange(len(per_class)), per_class), size)
    return strata, groups


def test_values_connect_images_also_over_others():
    assert connected(np.array([7, 7, 8, 9, 9]), np.array([1, 2, 2, 3, 4])).tolist() == [0, 0, 0, 1, 1]


def test_without_groups_images_are_held_out_as_they_were_before_there_were_any():
    strata, keys = RNG.integers(0, 3, 400), RNG.integers(0, 1 << 62, 400).astype(np.uint64)
    alone = hold_out(strata, keys, 0.1, np.arange(400))
    assert alone.tolist() == hold_out(strata, keys, 0.1).tolist()


@pytest.mark.parametrize("fraction", [0.1, 0.3])
def test_groups_are_on_one_side_and_each_class_gives_its_share(fraction):
    strata, groups = grouped([20, 30], 6)
    held = hold_out(strata, hashes(len(strata)), fraction, groups)
    assert not set.intersection(*sides(groups, held))
    assert np.bincount(strata[held]).tolist() == [round(fraction * 120), round(fraction * 180)]


def test_groups_with_images_of_several_classes_give_about_the_share_of_each():
    groups = np.repeat(np.arange(60), 25)
    strata = (RNG.random(1500) < RNG.uniform(0, 0.4, 60)[groups]).astype(int)
    held = hold_out(strata, hashes(1500), 0.2, groups)
    assert not set.intersection(*sides(groups, held))
    np.testing.assert_allclose(np.bincount(strata[held]), 0.2 * np.bincount(strata), rtol=0.15)


def test_each_group_with_a_rare_class_does_not_keep_the_others_from_their_share():
    groups, strata = np.repeat(np.arange(50), 20), np.tile([0] * 18 + [1] * 2, 50)
    strata[strata == 1] = np.where(np.arange(100) < 6, 1, 0)  # three groups have two each
    held = hold_out(strata, hashes(1000), 0.1, groups)
    found = np.bincount(strata[held], minlength=2)
    assert 80 <= found[0] <= 100 and found[1] == 2


def test_one_group_at_least_of_each_class_is_held_out_and_one_kept():
    strata, groups = grouped([2, 1, 3], 9)
    held = hold_out(strata, hashes(len(strata)), 0.01, groups)
    assert np.bincount(strata[held], minlength=3).tolist() == [9, 0, 9]


def test_equal_images_join_the_groups_that_they_are_in():
    keys = np.array([5, 6, 6, 7, 8, 9], np.uint64)
    units = Units(np.zeros(6, int), keys, np.array([0, 0, 1, 1, 2, 3]))
    assert units.count == 3 and len(set(units.of_images[:4].tolist())) == 1


def test_neither_hold_out_nor_folds_depend_on_the_order_of_the_files():
    strata, groups = grouped([12, 15], 4)
    keys, order = hashes(len(strata)), RNG.permutation(len(strata))
    one = Units(strata, keys, groups)
    other = Units(strata[order], keys[order], groups[order] * 3 + 1)
    assert one.hold_out(0.2)[order].tolist() == other.hold_out(0.2).tolist()
    assert one.folds(5)[order].tolist() == other.folds(5).tolist()


def test_large_groups_are_held_out_no_more_often_than_small_ones():
    groups = np.concatenate([np.repeat(np.arange(250), 8), np.arange(250, 2250)])
    held = hold_out(np.zeros(4000, int), hashes(4000), 0.1, groups)
    assert held.sum() == 400 and 130 <= held[:2000].sum() <= 270


def test_folds_have_the_same_share_of_each_class():
    strata = np.repeat([0, 1, 2], [103, 50, 10])
    fold = Units(strata, hashes(163)).folds(5)
    for stratum, size in enumerate((103, 50, 10)):
        counts = np.bincount(fold[strata == stratum], minlength=5)
        assert counts.min() == size // 5 and counts.max() <= size // 5 + 1
    assert np.ptp(np.bincount(fold)) <= 1


def test_folds_of_groups_of_many_sizes_are_about_equal_and_divide_no_group():
    sizes = RNG.integers(1, 30, 80)
    groups = np.repeat(np.arange(80), sizes)
    strata = np.repeat(RNG.integers(0, 2, 80), sizes)
    fold = Units(strata, hashes(len(groups)), groups).folds(4)
    assert all(len(set(fold[groups == group].tolist())) == 1 for group in range(80))
    for stratum in (0, 1):
        counts = np.bincount(fold[strata == stratum], minlength=4)
        assert np.ptp(counts) <= 0.1 * counts.sum()
