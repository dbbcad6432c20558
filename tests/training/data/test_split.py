import numpy as np
import pytest

from keras_vit.errors import InputError
from keras_vit.training.data.dataset import Split
from keras_vit.training.data.split import balanced_subset, complete_splits, hold_out, seeded_hashes

FRACTIONS = {"validation_fraction": 0.1, "test_fraction": 0.2, "seed": 0}


def random_split(counts, seed=0):
    labels = np.repeat(np.arange(len(counts)), counts).astype(np.int32)
    images = np.random.default_rng(seed).integers(0, 256, (len(labels), 3, 3, 1), dtype=np.uint8)
    return Split(images, labels)


def keys(split):
    return [image.tobytes() for image in split.images]


def test_each_class_gives_the_same_fraction():
    parts = complete_splits({"train": random_split([100, 50, 10])}, **FRACTIONS)
    assert np.bincount(parts["test"].labels).tolist() == [20, 10, 2]
    assert np.bincount(parts["validation"].labels).tolist() == [8, 4, 1]  # of what the test split left
    assert np.bincount(parts["train"].labels).tolist() == [72, 36, 7]


def test_every_image_is_in_exactly_one_split_and_keeps_its_label():
    source = random_split([60, 40])
    parts = complete_splits({"train": source}, **FRACTIONS)
    pairs = [pair for part in parts.values() for pair in zip(keys(part), part.labels.tolist(), strict=True)]
    assert sorted(pairs) == sorted(zip(keys(source), source.labels.tolist(), strict=True))


def test_equal_images_are_never_in_two_splits():
    distinct = random_split([40, 40])
    rows = np.random.default_rng(1).integers(0, 80, 400)
    labels = distinct.labels[rows]
    labels[::7] = 1 - labels[::7]  # equal images of different labels, too
    parts = complete_splits({"train": Split(distinct.images[rows], labels)}, **FRACTIONS)
    sides = {name: set(keys(part)) for name, part in parts.items()}
    assert all(len(side) > 1 for side in sides.values())
    assert len(set.union(*sides.values())) == sum(len(side) for side in sides.values())


def test_the_split_is_the_same_for_a_seed_and_another_for_another():
    source = random_split([50, 50])
    first, again, other = (
        complete_splits({"train": source}, **{**FRACTIONS, "seed": seed})["test"] for seed in (0, 0, 1)
    )
    assert keys(first) == keys(again)
    assert set(keys(first)) != set(keys(other))


def test_the_split_does_not_depend_on_the_order_of_the_files():
    source = random_split([50, 50])
    order = np.random.default_rng(3).permutation(100)
    shuffled = Split(source.images[order], source.labels[order])
    first, second = (complete_splits({"train": part}, **FRACTIONS)["test"] for part in (source, shuffled))
    assert set(keys(first)) == set(keys(second))


def test_the_rule_is_this_one_on_every_machine():
    images = np.arange(12, dtype=np.uint8).reshape(12, 1, 1, 1)
    hashes = seeded_hashes(Split(images, np.zeros(12)), seed=0)
    assert hashes[0] == 0xA7D4886016DC4DFF
    assert np.flatnonzero(hold_out(np.arange(12) % 2, hashes, 0.34)).tolist() == [1, 2, 5, 8]


def test_splits_of_the_source_stay_as_they_are():
    source = {name: random_split([20, 20], seed) for seed, name in enumerate(("train", "validation", "test"))}
    assert complete_splits(source, **FRACTIONS) is source
    del source["validation"]
    parts = complete_splits(source, **FRACTIONS)
    assert parts["test"] is source["test"]
    assert np.bincount(parts["validation"].labels).tolist() == [2, 2]


def test_one_image_at_least_is_held_out_and_one_kept():
    labels = np.array([0, 0, 1, 1, 2])
    for fraction in (0.01, 0.99):
        held = hold_out(labels, np.arange(5, dtype=np.uint64), fraction)
        assert np.bincount(labels[held], minlength=3).tolist() == [1, 1, 0]


def test_a_class_of_one_repeated_image_stays_in_training():
    held = hold_out(np.zeros(6, int), np.array([7, 7, 7, 7, 7, 7], np.uint64), 0.5)
    assert not held.any()


def test_the_smallest_group_is_held_out_where_none_fits():
    hashes = np.array([1, 1, 1, 2, 2, 3, 3, 3], np.uint64)
    assert np.flatnonzero(hold_out(np.zeros(8, int), hashes, 0.1)).tolist() == [3, 4]


@pytest.mark.parametrize(
    ("count", "expected"),
    [(3, [1, 1, 1]), (15, [5, 5, 5]), (30, [13, 12, 5]), (70, [33, 32, 5]), (105, [60, 40, 5])],
)
def test_a_subset_has_as_many_of_each_class_as_there_are(count, expected):
    split = random_split([60, 40, 5])
    rows = balanced_subset(split.labels, seeded_hashes(split, 0), count)
    assert np.bincount(split.labels[rows]).tolist() == expected
    assert len(set(rows.tolist())) == count


def test_a_subset_leaves_validation_and_test_alone():
    source = random_split([60, 60])
    full = complete_splits({"train": source}, **FRACTIONS)
    part = complete_splits({"train": source}, **FRACTIONS, subset=20)
    assert len(part["train"]) == 20 and set(keys(part["train"])) < set(keys(full["train"]))
    for name in ("validation", "test"):
        assert keys(part[name]) == keys(full[name])


@pytest.mark.parametrize("subset", [0, 1, 87, 1000])
def test_a_subset_of_too_few_or_too_many_images_is_refused(subset):
    with pytest.raises(InputError, match="Expected subset from 2 .* to 86"):
        complete_splits({"train": random_split([60, 60])}, **FRACTIONS, subset=subset)


def test_images_are_called_by_their_rows_in_the_source():
    images = np.arange(40, dtype=np.uint8).reshape(40, 1, 1, 1)
    parts = complete_splits({"train": Split(images, np.repeat([0, 1], 20))}, **FRACTIONS)
    for split in parts.values():
        assert split.names() == [f"row {pixel}" for pixel in np.asarray(split.images).ravel()]
    joined = parts["train"].joined(parts["validation"])
    assert joined.names() == [f"row {pixel}" for pixel in np.asarray(joined.images).ravel()]
