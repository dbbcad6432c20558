import keras
import numpy as np
import pytest

from keras_vit import InputError
from keras_vit.training import Augment

IMAGES = np.random.default_rng(0).integers(0, 255, (6, 8, 8, 3)).astype("uint8")


def test_it_changes_each_image_by_itself_and_only_in_training():
    layer = Augment(flip=True, crop_padding=2, seed=3)
    same = np.repeat(IMAGES[:1], 16, axis=0)
    changed = np.asarray(layer(same, training=True))
    assert len({image.tobytes() for image in changed}) > 4
    np.testing.assert_array_equal(np.asarray(layer(IMAGES)), IMAGES)
    assert not np.array_equal(changed, np.asarray(layer(same, training=True)))
    again = Augment(flip=True, crop_padding=2, seed=3)
    np.testing.assert_array_equal(changed, np.asarray(again(same, training=True)))


def test_labels_are_mixed_with_the_images():
    layer, labels = Augment(mixup_alpha=0.5, seed=0), np.eye(6, dtype="float32")
    images, mixed = layer(IMAGES, labels, training=True)
    assert not np.array_equal(np.asarray(mixed), labels)
    np.testing.assert_allclose(np.asarray(mixed).sum(axis=1), 1, atol=1e-6)
    with pytest.raises(InputError, match="MixUp and CutMix change labels too"):
        layer(IMAGES, training=True)


def test_it_is_part_of_a_saved_model(tmp_path):
    model = keras.Sequential([keras.Input((8, 8, 3)), Augment(rotation=20, seed=1), keras.layers.Flatten()])
    model.add(keras.layers.Dense(2))
    model.compile("adam", "mse")
    model.fit(IMAGES, np.zeros((6, 2)), verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.layers[0].settings.rotation == 20
    np.testing.assert_allclose(loaded.predict(IMAGES, verbose=0), model.predict(IMAGES, verbose=0), rtol=1e-5)


def test_it_runs_in_a_dataset():
    import tensorflow as tf

    layer = Augment(flip=True, erasing_rate=1.0, seed=0)
    data = tf.data.Dataset.from_tensor_slices(IMAGES).batch(4).map(lambda x: layer(x, training=True))
    assert [batch.shape[0] for batch in data] == [4, 2]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"flips": True}, "Augment has no flips. Expected some of flip"),
        ({"crop_padding": -1}, "crop_padding"),
        ({"flip": "alternating"}, "neither epochs nor which image"),
        ({"crop_padding": 8}, "crop_padding below the size of the images, 8 x 8"),
    ],
)
def test_impossible_settings_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        Augment(**options)(IMAGES, training=True)


def test_a_single_image_is_refused():
    with pytest.raises(InputError, match=r"received the shape \(8, 8, 3\): batch a dataset"):
        Augment(flip=True)(np.ones((8, 8, 3), "uint8"), training=True)
