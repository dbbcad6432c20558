import keras
import numpy as np
import pytest

from keras_vit import InputError
from keras_vit.keras_internals import uninitialized_weights
from keras_vit.models import vit

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3)).astype("uint8")
SMALL = {"variant": "Pico/2", "num_layers": 2, "num_classes": 5, "seed": 0}


def logits(model, images=IMAGES):
    return keras.ops.convert_to_numpy(model(images, training=False))


# Ti, S: timm's vit_tiny_patch16_224 and vit_small_patch16_224; B, L: table 1 of the paper, exact
# numbers as timm and torchvision publish them.
@pytest.mark.parametrize(
    ("variant", "parameters"),
    [
        ("Ti/16", 5_717_416),
        ("S/16", 22_050_664),
        ("S/32", 22_878_952),
        ("B/16", 86_567_656),
        ("B/32", 88_224_232),
        ("L/16", 304_326_632),
        ("L/32", 306_535_400),
        ("H/14", 632_045_800),
    ],
)
def test_parameter_counts_are_the_published_ones(variant, parameters):
    with uninitialized_weights():
        model = vit(variant, image_size=224, num_classes=1000)
    assert model.count_params() == parameters


@pytest.mark.parametrize(
    "options",
    [
        {"pooling": "gap"},
        {"pooling": "gap", "class_token": True},
        {"pooling": "map"},
        {"stem": "conv"},
        {"num_registers": 3},
        {"num_registers": 2, "pooling": "gap"},
        {"qk_norm": True, "layer_scale": 1e-4},
        {"activation": "swiglu", "norm_first": False},
        {"position_embedding": "sincos_1d"},
        {"position_embedding": "sincos_2d"},
        {"position_embedding": "none"},
        {"position_embedding": "rotary", "rotary_base": 10.0, "key_bias": False, "num_registers": 2},
        {"position_embedding": "learned_rotary", "rotary_grid_size": 3, "inner_norm": "mlp"},
        {"dropout_rate": 0.1, "attention_dropout_rate": 0.1, "drop_path_rate": 0.1},
        {"dtype": "mixed_bfloat16"},
        {"patch_size": (4, 2)},
        {"token_reduction": "merger", "num_merged_tokens": 3},
        {"token_reduction": "pooling", "position_embedding": "rotary", "num_registers": 2},
    ],
    ids=str,
)
def test_every_option_gives_float32_logits_and_survives_saving(options, tmp_path):
    model = vit(**{**SMALL, **options})
    y = logits(model)
    assert y.shape == (2, 5)
    assert y.dtype == "float32"
    model.save(tmp_path / "vit.keras")
    np.testing.assert_array_equal(logits(keras.saving.load_model(tmp_path / "vit.keras")), y)


def test_uint8_and_float_images_give_equal_logits():
    model = vit(**SMALL)
    np.testing.assert_array_equal(logits(model), logits(model, IMAGES.astype("float32")))


def test_fields_override_the_variants_row():
    model = vit("Pico/2", hidden_dim=24, num_heads=2, mlp_dim=30, num_layers=3, num_classes=7)
    assert model.get_layer("encoder").num_layers == 3
    assert model.get_layer("patch_embedding").output.shape == (None, 16, 24)


def test_a_seed_makes_two_models_equal():
    models = []
    for _ in range(2):
        keras.utils.set_random_seed(3)
        models.append(vit(**SMALL))
    np.testing.assert_array_equal(logits(models[0]), logits(models[1]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"variant": "XXL/16"}, "Unknown ViT variant 'XXL/16'"),
        ({"variant": "Ti16"}, "SIZE/PATCH"),
        ({"variant": "Ti/16", "image_size": 30}, "patch must divide the image"),
        ({"variant": "Ti/16", "num_heads": 5}, "num_heads must divide the hidden size"),
        ({"variant": "Ti/16", "pooling": "mean"}, "token, gap, map"),
        ({"variant": "Ti/16", "pooling": "token", "class_token": False}, "reads the class token"),
        ({"variant": "Ti/16", "position_embedding": "rope"}, "learned"),
        ({"variant": "Ti/16", "activation": "relu"}, "gelu"),
        ({"variant": "Ti/16", "drop_path_rate": 1.0}, "below 1"),
        ({"variant": "Ti/16", "num_layers": 0}, "num_layers from 1 to 1,000, received 0"),
        ({"image_size": 32}, "also needs patch_size"),
        ({**SMALL, "token_reduction": "merge"}, "token_reduction to be one of merger, pooling"),
        ({**SMALL, "token_reduction": "merger", "num_merged_tokens": 16}, "more than 16 patches"),
        (
            {**SMALL, "token_reduction": "merger", "reduce_after": 2},
            "reduce_after from 1 to 1, .* received 2",
        ),
        ({**SMALL, "token_reduction": "pooling", "num_layers": 1}, "num_layers=1, received 0"),
        ({**SMALL, "token_reduction": "pooling", "image_size": (8, 6)}, "even sides.* received 4 x 3"),
        (
            {**SMALL, "token_reduction": "pooling", "num_merged_tokens": 4},
            "=pooling has no num_merged_tokens: .* token_reduction=merger",
        ),
        ({**SMALL, "reduce_after": 1}, "token_reduction=none has no reduce_after"),
        (
            {**SMALL, "rotary_base": 10.0},
            "learned has no rotary_base: leave it out, set rotary_base=100.0, or give ",
        ),
        (
            {**SMALL, "position_embedding": "none", "rotary_grid_size": 4},
            "rotary_grid_size: .* position_embedding=rotary or position_embedding=learned_rotary",
        ),
        (
            {**SMALL, "pooling": "gap", "embed_prefix": False},
            "pooling=gap has no embed_prefix: .* or class_token=true",
        ),
        ({**SMALL, "position_embedding": "none", "embed_prefix": False}, "=none has no embed_prefix"),
        ({**SMALL, "position_embedding": "rotary", "embed_prefix": False}, "=rotary has no embed_prefix"),
        ({**SMALL, "embed_registers": True}, "num_registers=0 has no embed_registers"),
        (
            {**SMALL, "num_registers": 2, "embed_prefix": False, "embed_registers": True},
            "embed_prefix=false has no embed_registers",
        ),
        (
            {**SMALL, "token_reduction": "merger", "num_merged_tokens": 4, "position_embedding": "rotary"},
            "choose the kind 'pooling'",
        ),
        ({**SMALL, "image_size": 8, "channels": 0}, "Expected channels of at least 1, received 0"),
        ({**SMALL, "image_size": 8, "pixel_std": 0.0}, "Expected pixel_std above 0"),
        ({**SMALL, "image_size": 8, "pixel_mean": (1, 2)}, "pixel_mean to be one number or 3, .*received 2"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(arguments, message):
    with pytest.raises(InputError, match=message) as caught:
        vit(**arguments)
    assert "\n" not in str(caught.value)


def test_a_model_can_continue_from_layers_of_your_own():
    images = keras.Input((16, 16, 3))
    model = vit(**SMALL, input_tensor=keras.layers.AveragePooling2D(2)(images))
    assert model.input is images
    assert logits(model, np.zeros((2, 16, 16, 3))).shape == (2, 5)


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (keras.KerasTensor((None, 8, 8, 1)), r"input_tensor of shape \(None, 8, 8, 3\), received .*8, 1\)"),
        (np.zeros((2, 8, 8, 3)), "input_tensor to be keras.KerasTensor or none"),
    ],
)
def test_an_input_tensor_that_is_none_or_has_another_shape_is_refused(tensor, message):
    with pytest.raises(InputError, match=message):
        vit(**SMALL, input_tensor=tensor)


def test_grey_images_are_refused_by_a_model_of_colour_images():
    with pytest.raises(InputError, match=r"built for channels=3, received x of shape \(2, 8, 8, 1\)"):
        vit(**SMALL)(IMAGES[..., :1])
