import importlib.util
import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from keras_vit.training.augmentation import Augmentation, augment, num_uniforms, only_flips
from keras_vit.training.data import load_data
from keras_vit.training.data.dataset import Split
from keras_vit.training.data.order import steps_per_epoch
from keras_vit.training.data.random_crop import RandomCrop
from keras_vit.training.data.streams import ImageBatches, evaluation_stream, train_stream


def make_split():
    images = np.random.default_rng(0).integers(0, 256, (22, 8, 8, 1), dtype="uint8")
    return Split(images, (np.arange(22) % 2).astype("int32"))


def test_fit_takes_both_streams_and_validates_on_every_image_after_every_epoch():
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(2)])
    model.compile("sgd", keras.losses.CategoricalCrossentropy(from_logits=True))
    split = make_split()
    seen = []

    class CountBatches(keras.callbacks.Callback):
        def on_test_batch_end(self, batch, logs=None):
            seen.append(batch)

    history = model.fit(
        train_stream(
            split, num_classes=2, batch_size=4, epochs=2, seed=0, augmentation=Augmentation(flip=True)
        ),
        epochs=2,
        steps_per_epoch=5,
        validation_data=evaluation_stream(split, num_classes=2, batch_size=4),
        callbacks=[CountBatches()],
        shuffle=False,
        verbose=0,
    )
    assert seen == [0, 1, 2, 3, 4, 5] * 2
    assert np.isfinite(history.history["val_loss"]).all() and int(model.optimizer.iterations) == 10


@pytest.mark.parametrize("flip", [True, "alternating"])
def test_a_flip_while_images_are_read_gives_the_pixels_of_a_later_one(flip):
    split, augmentation = make_split(), Augmentation(flip=flip, erasing_rate=0.5, mixup_alpha=0.2)
    options = {"num_classes": 2, "batch_size": 8, "seed": 3, "crop": RandomCrop(0.3)}
    numbers = {"num_uniforms": num_uniforms(augmentation), "alternating": None if flip is True else 0}
    later = ImageBatches(split, **options, **numbers)
    found = list(train_stream(split, augmentation=augmentation, epochs=2, **options))
    assert len(found) == 4 and only_flips(augmentation)
    for step, (images, labels) in enumerate(found):
        expected, expected_labels = augment(*later.batch(*divmod(step, 2)), augmentation)
        np.testing.assert_array_equal(images, expected)
        np.testing.assert_array_equal(labels, expected_labels)


@pytest.mark.parametrize(
    "other", [{"crop_padding": 1}, {"rotation": 5.0}, {"brightness": 0.1}, {"flip": False}]
)
def test_a_flip_is_done_early_where_nothing_comes_before_it(other):
    assert not only_flips(Augmentation(**{"flip": True, **other}))


def test_a_spec_becomes_a_stream_of_each_split():
    data = load_data("digits")
    assert data.label_names == tuple("0123456789") and data.image_shape == (8, 8, 1)
    options = {"num_classes": data.num_classes, "batch_size": 32}
    steps = steps_per_epoch(len(data.train), 32)
    train = train_stream(data.train, epochs=2, seed=0, augmentation=Augmentation(crop_padding=1), **options)
    assert sum(1 for _ in train) == 2 * steps
    streams = [evaluation_stream(split, **options) for split in (data.validation, data.test)]
    counts = [sum(len(stream_labels) for _, stream_labels in stream) for stream in streams]
    assert min(counts) > 100 and sum(counts) + 32 * steps <= 1797


SOME = {"flip": True, "crop_padding": 2, "mixup_alpha": 0.8}
EVERYTHING = {**SOME, "rotation": 9.0, "erasing_rate": 0.25, "randaugment_layers": 2, "cutmix_alpha": 1.0}


@pytest.mark.parametrize(
    ("backend", "augmentation"),
    [
        ("jax", SOME),  # that all the others need no TensorFlow is tested next to them
        pytest.param("jax", EVERYTHING, marks=pytest.mark.slow),
        pytest.param("torch", EVERYTHING, marks=pytest.mark.slow),
    ],
)
def test_another_backend_streams_without_tensorflow(backend, augmentation):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    subprocess.run(
        [sys.executable, "-c", WITHOUT_TENSORFLOW, json.dumps(augmentation)],
        env={**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=True,
        timeout=300,
    )


WITHOUT_TENSORFLOW = """
import sys
sys.modules["tensorflow"] = None  # so that an import of it fails
import json
import numpy as np
from keras_vit.training.augmentation import Augmentation
from keras_vit.training.data.dataset import Split
from keras_vit.training.data.streams import evaluation_stream, train_stream
split = Split(np.zeros((9, 8, 8, 3), "uint8"), np.arange(9, dtype="int32") % 3)
options = {"num_classes": 3, "batch_size": 4}
augmentation = Augmentation(**json.loads(sys.argv[1]))
stream = train_stream(split, epochs=2, seed=0, augmentation=augmentation, **options)
assert [tuple(labels.shape) for _, labels in stream] == [(4, 3)] * 4
assert len(evaluation_stream(split, **options)) == 3

import warnings
import keras
from keras_vit.training.augmentation.own import OwnAugmentation
class Noise(keras.layers.GaussianNoise):
    def __init__(self):
        super().__init__(1.0)
def drawn(images):
    return images + keras.random.uniform((1,))
def seeded(images, labels, seed):
    return images + seed[0] % 97, labels * 0.5
warnings.simplefilter("ignore")
for name in ("Noise", "drawn", "seeded"):
    own = OwnAugmentation(f"__main__:{name}")
    batches = list(train_stream(split, epochs=3, seed=0, augmentation=Augmentation(), own=own, **options))
    sums = {float(keras.ops.sum(images)) for images, _ in batches}
    assert len(sums) == len(batches) == 6, (name, sums)  # other random numbers in each batch
"""


@pytest.mark.parametrize("mixup", [0.0, 0.8])
def test_images_have_their_weights_relative_to_the_mean(mixup):
    images = np.zeros((12, 4, 4, 1), "uint8")
    weights = np.arange(12, dtype="float32")
    split = Split(images, np.arange(12, dtype="int32") % 3, weights)
    options = {"num_classes": 3, "batch_size": 6, "seed": 0, "epochs": 1}
    stream = train_stream(split, augmentation=Augmentation(mixup_alpha=mixup), **options)
    found = [tuple(map(keras.ops.convert_to_numpy, batch)) for batch in stream]
    assert all(labels.shape == (6, 3) and given.shape == (6,) for _, labels, given in found)
    given = np.concatenate([given for *_, given in found])
    relative = weights / weights.mean()
    assert (given >= relative.min()).all() and (given <= relative.max()).all()
    if mixup:  # each is between those of the two images that it is mixed of
        assert np.abs(np.sort(given) - relative).max() > 1e-3
    else:
        np.testing.assert_allclose(np.sort(given), relative, rtol=1e-6)
    both = train_stream(
        split, augmentation=Augmentation(), class_weights=np.array([1, 2, 4], "float32"), **options
    )
    for _, labels, weight in both:
        of_class = np.array([1, 2, 4])[np.argmax(labels, axis=1)]
        assert set(np.round(weight / of_class * weights.mean(), 3)) <= set(np.round(weights, 3))
