import dataclasses
import functools
import threading
import time

import keras
import numpy as np
import pytest

from keras_vit import InputError
from keras_vit.training.augmentation import Augmentation
from keras_vit.training.data.dataset import Split
from keras_vit.training.data.label_kinds import encoded
from keras_vit.training.data.order import Share
from keras_vit.training.data.random_crop import RandomCrop
from keras_vit.training.data.streams import EvaluationBatches, prefetched, shared, train_stream

EVERYTHING = Augmentation(
    flip=True, crop_padding=2, randaugment_layers=2, mixup_alpha=0.8, cutmix_alpha=1.0, erasing_rate=0.5
)
WITHIN_IMAGES = dataclasses.replace(EVERYTHING, mixup_alpha=0.0, cutmix_alpha=0.0)

ALTERNATING = dataclasses.replace(WITHIN_IMAGES, flip="alternating", crop_fill="reflect")


def make_split(size=23):
    images = np.random.default_rng(0).integers(0, 256, (size, 8, 8, 3), dtype="uint8")
    return Split(images, (np.arange(size) % 5).astype("int32"))


@pytest.fixture
def without_tf_data(monkeypatch):
    if keras.backend.backend() == "tensorflow":
        monkeypatch.setattr(keras.backend, "backend", lambda: "torch")


def train(**options):
    return _batches(keras.backend.backend(), **options)


@functools.cache
def _batches(backend, **options):
    defaults = {"num_classes": 5, "batch_size": 4, "epochs": 3, "seed": 0, "augmentation": EVERYTHING}
    batches = train_stream(make_split(), **{**defaults, **options})
    return [tuple(keras.ops.convert_to_numpy(array) for array in batch) for batch in batches]


def test_a_stream_contains_all_epochs(without_tf_data):
    batches = train()
    assert len(batches) == 15
    assert {(images.shape, labels.shape) for images, labels in batches} == {((4, 8, 8, 3), (4, 5))}


@pytest.mark.parametrize(("start_epoch", "start_step"), [(0, 3), (1, 0), (2, 4)])
def test_a_stream_that_starts_later_is_bit_for_bit_the_rest(without_tf_data, start_epoch, start_step):
    rest, whole = train(start_epoch=start_epoch, start_step=start_step), train()
    assert len(rest) == 15 - 5 * start_epoch - start_step
    for (images, labels), (expected, expected_labels) in zip(rest, whole[15 - len(rest) :], strict=True):
        assert images.tobytes() == expected.tobytes() and labels.tobytes() == expected_labels.tobytes()


def test_from_a_chosen_epoch_on_strong_augmentation_is_off_and_the_rest_stays(without_tf_data):
    strong = Augmentation(flip="alternating", randaugment_layers=2, mixup_alpha=0.8, cutmix_alpha=1.0)
    calm = train(augmentation=strong, calm_epoch=2)
    weak = train(augmentation=Augmentation(flip="alternating"))
    always = train(augmentation=strong)
    for index, (images, labels) in enumerate(calm):
        same, other = (always, weak) if index < 10 else (weak, always)  # of 15 batches in 3 epochs
        np.testing.assert_array_equal(images, same[index][0])
        np.testing.assert_array_equal(labels, same[index][1])
        assert not np.array_equal(images, other[index][0])
    rest = train(augmentation=strong, calm_epoch=2, start_epoch=2, start_step=1)
    np.testing.assert_array_equal(rest[0][0], calm[11][0])
    np.testing.assert_array_equal(train(augmentation=strong, calm_epoch=0)[0][0], weak[0][0])


@pytest.mark.parametrize("others", [{}, {"brightness": 0.01, "crop_padding": 1, "rotation": 5.0}], ids=str)
def test_an_alternating_flip_mirrors_each_image_in_every_other_epoch(without_tf_data, others):
    """The left of each image is dark, the right bright; the label is the image's number."""
    images = np.zeros((12, 8, 8, 1), "uint8")
    images[:, :, 4:] = 200
    split = Split(images, np.arange(12, dtype="int32"))
    fields = {"num_classes": 12, "batch_size": 4, "epochs": 4, "seed": 3}
    stream = train_stream(split, augmentation=Augmentation(flip="alternating", **others), **fields)
    flipped = np.zeros((4, 12), bool)
    for index, (batch, labels) in enumerate(stream):
        batch, labels = map(keras.ops.convert_to_numpy, (batch, labels))
        flipped[index // 3, labels.argmax(axis=1)] = batch[:, :, 1:4].mean(axis=(1, 2, 3)) > 100
    assert (flipped[0] != flipped[1]).all()
    np.testing.assert_array_equal(flipped[:2], flipped[2:])
    assert 2 <= flipped[0].sum() <= 10


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"augmentation": WITHIN_IMAGES},
        {"augmentation": ALTERNATING, "calm_epoch": 2},
        {"augmentation": WITHIN_IMAGES, "crop": RandomCrop(0.2)},
    ],
    ids=["mixed", "within images", "alternating", "cropped"],
)
def test_the_shares_of_two_processes_are_the_halves_of_each_batch(without_tf_data, options):
    """Fused sums of another number of images may be rounded differently."""
    halves = [train(share=Share(index, 2), **options) for index in range(2)]
    for whole, *parts in zip(train(**options), *halves, strict=True):
        for expected, *arrays in zip(whole, *parts, strict=True):
            np.testing.assert_allclose(np.concatenate(arrays), expected, rtol=1e-5, atol=1e-3)


class Counted:
    """Images that count the rows that are read."""

    def __init__(self, images):
        self.images, self.shape, self.dtype, self.read = images, images.shape, images.dtype, 0

    def __len__(self):
        return len(self.images)

    def __getitem__(self, rows):
        found = self.images[rows]
        self.read += len(found)
        return found


def test_a_process_reads_only_its_own_images(without_tf_data):
    split = make_split()
    images = Counted(split.images)
    counted = dataclasses.replace(split, images=images)
    options = {"num_classes": 5, "batch_size": 4, "epochs": 1, "seed": 0, "share": Share(1, 2)}
    assert len(list(train_stream(counted, augmentation=WITHIN_IMAGES, **options))) == 5
    assert images.read == 5 * 2
    whole = EvaluationBatches(22, 4, lambda rows: images[rows])
    part, images.read = shared(whole, Share(1, 2)), 0
    np.testing.assert_array_equal(part[5], split.images[21:22])
    np.testing.assert_array_equal(part[0], split.images[2:4])
    assert images.read == 3


def test_batches_equal_those_of_the_tensorflow_pipeline(request):
    if keras.backend.backend() != "tensorflow":
        pytest.skip("tf.data pipelines need the TensorFlow backend")
    from_pipeline = train()
    request.getfixturevalue("without_tf_data")
    for (images, labels), (expected, expected_labels) in zip(train(), from_pipeline, strict=True):
        np.testing.assert_allclose(images, expected, atol=0.01)
        np.testing.assert_allclose(labels, expected_labels, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"), [({"batch_size": 0}, "batch_size"), ({"batch_size": 24}, "received 23 images")]
)
def test_wrong_options_are_refused_before_the_first_batch(without_tf_data, options, message):
    with pytest.raises(InputError, match=message):
        train_stream(
            make_split(), augmentation=EVERYTHING, **{"num_classes": 5, "epochs": 1, "seed": 0, **options}
        )


def test_evaluation_batches_contain_all_rows_in_order_and_can_be_read_again():
    split = make_split()
    batches = EvaluationBatches(23, 4, lambda rows: (split.images[rows], encoded(split.labels[rows], 5)))
    assert len(batches[5][0]) == 3
    for _ in range(2):
        images, labels = zip(*[batches[index] for index in range(len(batches))], strict=True)
        np.testing.assert_array_equal(np.concatenate(images), split.images)
        np.testing.assert_array_equal(np.concatenate(labels), np.eye(5)[split.labels])


def test_an_error_in_the_thread_reaches_the_consumer():
    def batches():
        yield 1
        raise OSError("broken file")

    stream = prefetched(batches())
    assert next(stream) == 1
    with pytest.raises(OSError, match="broken file"):
        next(stream)


def test_the_thread_ends_when_the_stream_is_dropped():
    before = threading.active_count()
    stream = prefetched(iter(range(10**9)))
    assert [next(stream) for _ in range(5)] == [0, 1, 2, 3, 4]
    assert threading.active_count() == before + 1
    stream.close()
    deadline = time.monotonic() + 10
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.02)
    assert threading.active_count() == before
