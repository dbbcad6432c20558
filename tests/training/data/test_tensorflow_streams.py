import dataclasses
import functools

import keras
import numpy as np
import pytest

from keras_vit import InputError
from keras_vit.training.augmentation import Augmentation
from keras_vit.training.data.dataset import Split

if keras.backend.backend() != "tensorflow":
    pytest.skip("tf.data pipelines need the TensorFlow backend", allow_module_level=True)

from keras_vit.training.data.streams import evaluation_stream, train_stream

EVERYTHING = Augmentation(
    flip=True, crop_padding=2, randaugment_layers=2, mixup_alpha=0.8, cutmix_alpha=1.0, erasing_rate=0.5
)


def make_split(size=23):
    """Image i is all of value i, its label i modulo 5."""
    indices = np.arange(size)
    images = np.tile(indices.reshape(-1, 1, 1, 1), (1, 8, 8, 3)).astype("uint8")
    return Split(images, (indices % 5).astype("int32"))


def train(split, augmentation=None, **options):
    options = {"num_classes": 5, "batch_size": 4, "epochs": 3, "seed": 0, **options}
    return train_stream(split, augmentation=augmentation or Augmentation(), **options)


def batches_of(dataset):
    return [(images.numpy(), labels.numpy()) for images, labels in dataset]


def test_training_batches_are_float_images_and_one_hot_labels_of_static_shape():
    images, labels = train(make_split()).element_spec
    assert (images.shape, images.dtype) == ((4, 8, 8, 3), "float32")
    assert (labels.shape, labels.dtype) == ((4, 5), "float32")
    assert train(make_split()).cardinality() == 3 * 5


def test_each_epoch_has_another_order_and_images_keep_their_labels():
    shown = []
    for images, labels in batches_of(train(make_split())):
        indices = images[:, 0, 0, 0]
        np.testing.assert_array_equal(labels, np.eye(5)[indices.astype(int) % 5])
        shown.append(indices)
    epochs = np.concatenate(shown).reshape(3, 20)
    assert all(len(np.unique(epoch)) == 20 for epoch in epochs)
    assert len({epoch.tobytes() for epoch in epochs}) == 3


ALTERNATING = dataclasses.replace(EVERYTHING, flip="alternating", crop_fill="reflect")


@functools.cache
def whole_training(augmentation, calm_epoch):
    return batches_of(train(make_split(), augmentation, calm_epoch=calm_epoch))


@pytest.mark.parametrize("calm_epoch", [None, 1])
@pytest.mark.parametrize(("start_epoch", "start_step"), [(0, 3), (1, 0), (2, 4), (3, 0)])
def test_a_stream_that_starts_later_is_bit_for_bit_the_rest(start_epoch, start_step, calm_epoch):
    augmentation = EVERYTHING if calm_epoch is None else ALTERNATING
    options = {"start_epoch": start_epoch, "start_step": start_step}
    whole = whole_training(augmentation, calm_epoch)
    rest = batches_of(train(make_split(), augmentation, calm_epoch=calm_epoch, **options))
    assert len(rest) == 15 - 5 * start_epoch - start_step
    for (images, labels), (expected, expected_labels) in zip(rest, whole[15 - len(rest) :], strict=True):
        assert images.tobytes() == expected.tobytes() and labels.tobytes() == expected_labels.tobytes()


def test_another_seed_gives_another_stream():
    first, other = (next(iter(train(make_split(), EVERYTHING, seed=seed)))[0].numpy() for seed in (0, 1))
    assert np.abs(first - other).max() > 1


def test_images_may_be_mapped_from_a_file(tmp_path):
    split = make_split()
    np.save(tmp_path / "images.npy", split.images)
    mapped = Split(np.load(tmp_path / "images.npy", mmap_mode="r"), split.labels)
    for (images, _), (expected, _) in zip(
        batches_of(train(mapped, EVERYTHING)), batches_of(train(split, EVERYTHING)), strict=True
    ):
        np.testing.assert_array_equal(images, expected)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "batch_size"),
        ({"batch_size": 24}, "received 23 images"),
        ({"start_epoch": 4}, "within 3 epochs"),
        ({"start_step": 6}, "within 3 epochs of 5 steps"),
    ],
)
def test_wrong_training_options_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        train(make_split(), **options)


def test_evaluation_contains_all_images_in_order():
    split = make_split()
    stream = evaluation_stream(split, num_classes=5, batch_size=4)
    assert [spec.shape.as_list() for spec in stream.element_spec] == [[None, 8, 8, 3], [None, 5]]
    assert stream.cardinality() == 6
    batches = batches_of(stream)
    images, labels = (np.concatenate(arrays) for arrays in zip(*batches, strict=True))
    assert [len(images) for images, _ in batches] == [4, 4, 4, 4, 4, 3]
    assert images.dtype == np.uint8
    np.testing.assert_array_equal(images, split.images)
    np.testing.assert_array_equal(labels, np.eye(5)[split.labels])


@pytest.mark.parametrize(
    "stream", [train, lambda split: evaluation_stream(split, num_classes=5, batch_size=4)]
)
def test_no_thread_tunes_a_stream_whose_end_would_wait_for_it(stream):
    assert stream(make_split()).options().autotune.enabled is False


def test_evaluation_refuses_an_empty_batch():
    with pytest.raises(InputError, match="batch_size"):
        evaluation_stream(make_split(), num_classes=5, batch_size=0)
