import keras
import numpy as np
import pytest

from keras_vit import InputError
from keras_vit.layers import PatchEmbedding
from keras_vit.models import vit, with_image_size, with_patch_size

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3)).astype("uint8")


def logits(model, images):
    return keras.ops.convert_to_numpy(model(images, training=False))


@pytest.mark.parametrize(
    "options",
    [{}, {"pooling": "map", "num_registers": 1}, {"stem": "conv"}, {"position_embedding": "learned_rotary"}],
    ids=str,
)
def test_the_same_size_gives_the_same_logits_and_another_keeps_the_weights(options):
    model = vit("Pico/2", num_layers=2, num_classes=4, **options)
    np.testing.assert_allclose(logits(with_image_size(model, 8), IMAGES), logits(model, IMAGES), atol=1e-6)
    wide = with_image_size(model, (6, 20))
    assert logits(wide, np.zeros((1, 6, 20, 3))).shape == (1, 4)
    for ours, theirs in zip(wide.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_there_and_back_again_loses_nothing(tmp_path):
    model = vit("Pico/2", num_layers=1, num_classes=4)
    with_image_size(model, (12, 16)).save(tmp_path / "wide.keras")
    back = with_image_size(keras.saving.load_model(tmp_path / "wide.keras"), 8)
    np.testing.assert_allclose(logits(back, IMAGES), logits(model, IMAGES), atol=1e-6)


def test_a_model_with_a_list_of_one_input_as_runs_save_it_is_resized():
    model = vit("Pico/2", num_layers=1, num_classes=4)
    listed = keras.Model(model.inputs, model.outputs)
    for resized in (with_image_size(listed, 8), with_patch_size(listed, 2)):
        np.testing.assert_allclose(resized.predict(IMAGES, verbose=0), logits(model, IMAGES), atol=1e-6)


def test_a_patch_that_does_not_divide_and_another_kind_of_model_are_refused():
    with pytest.raises(InputError, match="must divide"):
        with_image_size(vit("Pico/2", num_layers=1), 9)
    with pytest.raises(InputError, match="PatchEmbedding"):
        with_image_size(keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten()]), 8)


def test_a_model_that_flattens_its_tokens_is_refused():
    images = keras.Input((8, 8, 3))
    tokens = PatchEmbedding(12, 2)(images)
    model = keras.Model(images, keras.layers.Dense(4, name="head")(keras.layers.Flatten()(tokens)))
    with pytest.raises(InputError, match=r"'head/kernel' .* \(192, 4\), and \(768, 4\) .* Pool the tokens"):
        with_image_size(model, 16)
