"""What every layer promises, and the arguments to hold each to it.

As a program it writes the layers' outputs under the current backend: `layer_contract.py OUT.npz`.
"""

import json
import sys

import keras
import numpy as np

from keras_vit import layers

TOKENS = (2, 16, 24)
HEADS = (2, 3, 16, 8)
IMAGES = (2, 16, 16, 3)

# name: (class, arguments, input shape, output shape)
CASES = {
    "patch_extraction": (layers.PatchExtraction, {"patch_size": (4, 8)}, IMAGES, (2, 8, 96)),
    "patch_embedding": (layers.PatchEmbedding, {"hidden_dim": 24, "patch_size": 4}, IMAGES, TOKENS),
    "patch_embedding_without_bias": (
        layers.PatchEmbedding,
        {"hidden_dim": 24, "patch_size": 4, "use_bias": False},
        IMAGES,
        TOKENS,
    ),
    "patch_embedding_rectangular": (
        layers.PatchEmbedding,
        {"hidden_dim": 24, "patch_size": (8, 2)},
        IMAGES,
        TOKENS,
    ),
    "patch_embedding_conv": (
        layers.PatchEmbedding,
        {"hidden_dim": 24, "patch_size": 4, "stem": "conv"},
        IMAGES,
        TOKENS,
    ),
    **{
        f"image_normalization_{kind}": (layers.ImageNormalization, {"kind": kind}, IMAGES, IMAGES)
        for kind in ("global_contrast", "l1", "l2", "min_max")
    },
    "class_token": (layers.ClassToken, {}, TOKENS, (2, 17, 24)),
    "register_tokens": (
        layers.RegisterTokens,
        {"num_tokens": 3, "num_prefix_tokens": 1},
        TOKENS,
        (2, 19, 24),
    ),
    "position_embedding": (
        layers.PositionEmbedding,
        {"grid_size": (5, 3), "num_prefix_tokens": 1},
        TOKENS,
        TOKENS,
    ),
    "position_embedding_resampled": (
        layers.PositionEmbedding,
        {"grid_size": 3, "target_grid_size": (2, 8)},
        TOKENS,
        TOKENS,
    ),
    "position_embedding_sincos_1d": (
        layers.PositionEmbedding,
        {"grid_size": 4, "kind": "sincos_1d"},
        TOKENS,
        TOKENS,
    ),
    "position_embedding_sincos_2d": (
        layers.PositionEmbedding,
        {"grid_size": 4, "kind": "sincos_2d", "target_grid_size": (2, 8)},
        TOKENS,
        TOKENS,
    ),
    "rotary_position_embedding": (
        layers.RotaryPositionEmbedding,
        {"grid_size": (5, 3), "num_prefix_tokens": 1, "base": 50.0, "reference_grid_size": (2, 7)},
        HEADS,
        HEADS,
    ),
    "self_attention": (layers.SelfAttention, {"num_heads": 3, "dropout_rate": 0.1}, TOKENS, TOKENS),
    "self_attention_qk_norm": (
        layers.SelfAttention,
        {"num_heads": 4, "qk_norm": True, "attention_dropout_rate": 0.1, "seed": 5},
        TOKENS,
        TOKENS,
    ),
    "self_attention_causal": (layers.SelfAttention, {"num_heads": 3, "causal": True}, TOKENS, TOKENS),
    "self_attention_rotary": (
        layers.SelfAttention,
        {
            "num_heads": 3,
            "rotary": {"grid_size": [5, 3], "num_prefix_tokens": 1, "reference_grid_size": [4, 4]},
            "key_bias": False,
            "inner_norm": True,
        },
        TOKENS,
        TOKENS,
    ),
    "mlp": (layers.MLP, {"mlp_dim": 40, "dropout_rate": 0.1}, TOKENS, TOKENS),
    "mlp_gelu_tanh": (layers.MLP, {"mlp_dim": 40, "activation": "gelu_tanh"}, TOKENS, TOKENS),
    "mlp_quick_gelu": (layers.MLP, {"mlp_dim": 40, "activation": "quick_gelu"}, TOKENS, TOKENS),
    "mlp_swiglu": (
        layers.MLP,
        {"mlp_dim": 40, "activation": "swiglu", "inner_norm": True, "seed": 3},
        TOKENS,
        TOKENS,
    ),
    "layer_scale": (layers.LayerScale, {"initial_value": 0.1}, TOKENS, TOKENS),
    "drop_path": (layers.DropPath, {"rate": 0.4, "seed": 1}, TOKENS, TOKENS),
    "transformer_block": (
        layers.TransformerBlock,
        {
            "num_heads": 3,
            "mlp_dim": 40,
            "drop_path_rate": 0.1,
            "layer_scale": 0.1,
            "dropout_rate": 0.1,
            "seed": 4,
        },
        TOKENS,
        TOKENS,
    ),
    "transformer_block_post_norm": (
        layers.TransformerBlock,
        {"num_heads": 3, "mlp_dim": 40, "norm_first": False, "inner_norm": "both", "seed": 2},
        TOKENS,
        TOKENS,
    ),
    "transformer_encoder": (
        layers.TransformerEncoder,
        {"num_layers": 2, "num_heads": 3, "mlp_dim": 40, "drop_path_rate": 0.2, "qk_norm": True, "seed": 4},
        TOKENS,
        TOKENS,
    ),
    "token_pooling": (layers.TokenPooling, {}, TOKENS, (2, 24)),
    "token_pooling_gap": (layers.TokenPooling, {"mode": "gap", "num_prefix_tokens": 2}, TOKENS, (2, 24)),
    "token_pooling_index": (layers.TokenPooling, {"index": 1}, TOKENS, (2, 24)),
    "token_pooling_token_gap": (
        layers.TokenPooling,
        {"mode": "token_gap", "num_prefix_tokens": 1},
        TOKENS,
        (2, 48),
    ),
    "transformer_encoder_causal": (
        layers.TransformerEncoder,
        {"num_layers": 2, "num_heads": 3, "mlp_dim": 40, "causal": True},
        TOKENS,
        TOKENS,
    ),
    "transformer_encoder_without_final_norm": (
        layers.TransformerEncoder,
        {
            "num_layers": 1,
            "num_heads": 3,
            "mlp_dim": 40,
            "final_norm": False,
            "qkv_bias": False,
            "epsilon": 1e-5,
        },
        TOKENS,
        TOKENS,
    ),
    "attention_pooling_gelu_tanh": (
        layers.AttentionPooling,
        {"num_heads": 3, "mlp_dim": 40, "activation": "gelu_tanh", "epsilon": 1e-5},
        TOKENS,
        (2, 24),
    ),
    "attention_pooling": (layers.AttentionPooling, {"num_heads": 3, "mlp_dim": 40}, TOKENS, (2, 24)),
}


def inputs_of(shape):
    return np.random.default_rng(1).normal(size=shape).astype("float32")


def functional(case, dtype="float32", batch=None):
    """The layer of a case in a functional model, its weights drawn with NumPy."""
    make, arguments, input_shape, _ = case
    images = keras.Input(input_shape[1:], batch_size=batch, dtype="float32")
    model = keras.Model(images, make(**arguments, dtype=dtype, name="layer")(images))
    rng = np.random.default_rng(0)
    for weight in model.weights:
        weight.assign(("gamma" in weight.path) + 0.2 * rng.normal(size=weight.shape))
    return model


def run(model, x):
    return keras.ops.convert_to_numpy(keras.ops.cast(model(x, training=False), "float32"))


def check_shapes(case):
    make, arguments, input_shape, output_shape = case
    assert functional(case).output_shape == (None, *output_shape[1:])
    assert functional(case, batch=2).output_shape == output_shape
    assert make(**arguments).compute_output_shape(input_shape) == output_shape
    assert make(**arguments)(inputs_of(input_shape)).shape == output_shape


def check_config(case):
    make, arguments, *_ = case
    layer = make(**arguments, dtype="mixed_bfloat16", name="other")
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
    again = keras.saving.deserialize_keras_object(config)
    assert again.get_config() == layer.get_config()
    assert {"name", "dtype", *arguments} <= set(layer.get_config())


def check_saving(case, folder):
    model = functional(case)
    x = inputs_of(case[2])
    expected = run(model, x)
    model.save(folder / "layer.keras")
    np.testing.assert_array_equal(run(keras.saving.load_model(folder / "layer.keras"), x), expected)
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    np.testing.assert_array_equal(run(clone, x), expected)


def check_bfloat16(case):
    x = inputs_of(case[2])
    model, expected = functional(case, "mixed_bfloat16"), run(functional(case), x)
    assert model.output.dtype == "bfloat16"
    assert all(w.dtype == "float32" for w in model.weights)
    # bfloat16 has 8 bits of mantissa: relative steps of 2**-8, and some ten roundings in a block.
    error = np.abs(run(model, x) - expected).max() / np.abs(expected).max()
    assert error < 10 * 2**-8


def check_training(case):
    """One step of plain gradient descent moves every weight, to finite values."""
    model = functional(case)
    if not model.trainable_variables:
        return
    before = [keras.ops.convert_to_numpy(w).copy() for w in model.trainable_variables]
    model.compile(keras.optimizers.SGD(1.0), "mse")
    target = np.random.default_rng(2).normal(size=case[3]).astype("float32")
    model.train_on_batch(inputs_of(case[2]), target)
    for weight, old in zip(model.trainable_variables, before, strict=True):
        new = keras.ops.convert_to_numpy(weight)
        assert np.isfinite(new).all(), weight.path
        if weight.path.endswith("key_norm/beta"):
            continue  # the softmax does not see what all keys have in common
        assert (new != old).any(), weight.path


def write_outputs(path):
    outputs = {name: run(functional(case), inputs_of(case[2])) for name, case in CASES.items()}
    np.savez(path, **outputs)


if __name__ == "__main__":
    write_outputs(sys.argv[1])
