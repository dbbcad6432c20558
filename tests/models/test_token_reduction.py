"""A Vision Transformer with fewer tokens in its later blocks, wherever the program looks at its encoder."""

import keras
import numpy as np
import pytest

from keras_vit import InputError
from keras_vit.models import attention_maps, attention_scores, vit, with_image_size
from keras_vit.pretrained import features, load, patch_features, save
from keras_vit.training.fine_tuning.lora import add_lora, merged
from keras_vit.training.memory import training_bytes
from keras_vit.training.report import write as report

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3)).astype("uint8")
KINDS = {"merger": {"num_merged_tokens": 3}, "pooling": {}}
each_kind = pytest.mark.parametrize("kind", KINDS)


def small(kind, **options):
    keras.utils.set_random_seed(1)
    model = vit(
        "Pico/2", num_layers=3, num_classes=5, token_reduction=kind, reduce_after=2, **KINDS[kind], **options
    )
    rng = np.random.default_rng(2)
    for weight in model.weights:
        weight.assign(keras.ops.convert_to_numpy(weight) + 0.1 * rng.normal(size=weight.shape))
    return model


def logits(model, images=IMAGES):
    return keras.ops.convert_to_numpy(model(images, training=False))


def test_a_merger_adds_its_queries_and_a_normalization_and_pooling_nothing():
    plain = vit("Ti/16", image_size=32, num_classes=10).count_params()
    merger, pooling = (
        vit("Ti/16", image_size=32, num_classes=10, token_reduction=kind, num_merged_tokens=count)
        for kind, count in (("merger", 3), ("pooling", None))
    )
    assert merger.count_params() == plain + 3 * 192 + 2 * 192
    assert pooling.count_params() == plain
    assert merger.get_layer("encoder").reduction["after"] == 6  # of 12 blocks


@each_kind
def test_a_saved_model_is_a_source_of_weights_with_its_reduction(kind, tmp_path):
    model = small(kind)
    model.save(tmp_path / "model.keras")
    again = load(tmp_path / "model.keras")
    assert again.get_layer("encoder").reduction == model.get_layer("encoder").reduction
    np.testing.assert_array_equal(logits(again), logits(model))


@each_kind
def test_other_libraries_formats_are_refused(kind, tmp_path):
    with pytest.raises(InputError, match="no Vision Transformer that reduces its tokens"):
        save(small(kind), tmp_path / "folder")


@each_kind
def test_another_image_size_keeps_the_weights(kind):
    model = small(kind, position_embedding="rotary" if kind == "pooling" else "learned")
    other = with_image_size(model, (16, 12))
    assert other.get_layer("encoder").output.shape[1] == {"merger": 4, "pooling": 13}[kind]
    assert logits(other, np.zeros((1, 16, 12, 3))).shape == (1, 5)
    np.testing.assert_allclose(logits(with_image_size(other, 8)), logits(model), atol=1e-5)
    if kind == "pooling":
        with pytest.raises(InputError, match="even sides, .* received 3 x 4"):
            with_image_size(model, (6, 8))


@each_kind
def test_attention_of_each_block_is_there_but_a_map_on_patches_is_refused(kind):
    model = small(kind)
    reduced = model.get_layer("encoder").output.shape[1]
    assert [scores.shape[-1] for scores in attention_scores(model, IMAGES)] == [17, 17, reduced]
    with pytest.raises(InputError, match="reduces its tokens") as caught:
        attention_maps(model, IMAGES)
    assert "\n" not in str(caught.value)
    assert not report.has_attention(model)


@each_kind
def test_features_are_those_of_the_blocks(kind):
    model = small(kind)
    _, states = model.get_layer("encoder")(
        keras.Model(model.inputs, model.get_layer("encoder").input)(IMAGES), return_hidden_states=True
    )
    for one, state in zip(features(model, [0, 1, 2])(IMAGES), states, strict=True):
        np.testing.assert_allclose(
            keras.ops.convert_to_numpy(one), keras.ops.convert_to_numpy(state), atol=1e-5
        )
    with pytest.raises(InputError, match="reduces its tokens"):
        patch_features(model)


@each_kind
def test_low_rank_matrices_are_merged(kind):
    model = small(kind)
    add_lora(model, 2)
    rng = np.random.default_rng(3)
    for weight in model.trainable_weights:
        weight.assign(0.1 * rng.normal(size=weight.shape))
    np.testing.assert_allclose(logits(merged(model)), logits(model), atol=1e-4)


def test_training_needs_less_memory_with_fewer_tokens():
    plain = vit("Pico/2", image_size=32, num_layers=4, num_classes=5)
    fewer = vit("Pico/2", image_size=32, num_layers=4, num_classes=5, token_reduction="pooling")
    assert training_bytes(fewer, 64) < 0.6 * training_bytes(plain, 64)
