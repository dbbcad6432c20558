"""What every layer promises, and the arguments to hold each to it.

As a program it writes the layers' outputs under the current backend: `layer_contract.py OUT.npz`.
"""

import json
import sys

import keras
import numpy as np

from keras_vit import layers
from keras_vit.keras_internals import all_layers, initialize, set_weight, uninitialized_weights

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
    "grid_attention": (
        layers.GridAttention,
        {"num_heads": 2, "key_dim": 4, "activation": "relu"},
        IMAGES,
        IMAGES,
    ),
    "grid_attention_shrinking": (
        layers.GridAttention,
        {"num_heads": 3, "key_dim": 4, "value_dim": 6, "hidden_dim": 10, "strides": 3},
        IMAGES,
        (2, 6, 6, 10),
    ),
    "reparametrized_depthwise": (layers.ReparametrizedDepthwise, {"kernel_size": 5}, IMAGES, IMAGES),
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
    "transformer_encoder_merger": (
        layers.TransformerEncoder,
        {
            "num_layers": 2,
            "num_heads": 3,
            "mlp_dim": 40,
            "reduction": {"kind": "merger", "after": 1, "num_tokens": 4, "num_prefix_tokens": 1},
        },
        TOKENS,
        (2, 5, 24),
    ),
    "transformer_encoder_pooling": (
        layers.TransformerEncoder,
        {
            "num_layers": 3,
            "num_heads": 3,
            "mlp_dim": 40,
            "rotary": {"grid_size": [2, 8]},
            "reduction": {"kind": "pooling", "after": 2, "grid_size": [2, 8]},
            "seed": 6,
        },
        TOKENS,
        (2, 4, 24),
    ),
    "patch_merger": (layers.PatchMerger, {"num_tokens": 5}, TOKENS, (2, 5, 24)),
    "patch_merger_with_prefix": (
        layers.PatchMerger,
        {"num_tokens": 3, "num_prefix_tokens": 2, "epsilon": 1e-5},
        TOKENS,
        (2, 5, 24),
    ),
    "grid_pooling": (layers.GridPooling, {"grid_size": (2, 8)}, TOKENS, (2, 4, 24)),
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

# The layers that have layers with weights inside, each with as many kinds of them as possible.
COMPOSITES = {
    name: CASES[name]
    for name in (
        "patch_embedding",
        "patch_embedding_conv",
        "grid_attention",
        "reparametrized_depthwise",
        "self_attention_rotary",
        "mlp_swiglu",
        "transformer_block",
        "transformer_block_post_norm",
        "transformer_encoder",
        "transformer_encoder_merger",
        "patch_merger",
        "attention_pooling",
    )
}
# Those with dense layers, which can be quantized and have low-rank adapters (for these the order of norms
# changes nothing).
NOT_QUANTIZED = (
    "patch_embedding_conv",
    "patch_merger",
    "reparametrized_depthwise",
    "transformer_block_post_norm",
)
DENSE = {name: case for name, case in COMPOSITES.items() if name not in NOT_QUANTIZED}

SEEN = np.arange(TOKENS[1]) < np.array([[16], [5]])  # the Keras mask of a padded batch


def inputs_of(shape):
    return np.random.default_rng(1).normal(size=shape).astype("float32")


def functional(case, dtype="float32", batch=None, prepare=None):
    """The layer of a case, after `prepare(layer)`, in a functional model, its weights drawn with NumPy."""
    make, arguments, input_shape, _ = case
    images = keras.Input(input_shape[1:], batch_size=batch, dtype="float32")
    layer = make(**arguments, dtype=dtype, name="layer")
    if prepare:
        prepare(layer)
    with uninitialized_weights():
        model = keras.Model(images, layer(images))
    rng = np.random.default_rng(0)
    for weight in model.weights:
        around_one = weight.name in ("gamma", "moving_variance")
        set_weight(weight, around_one + 0.2 * rng.normal(size=weight.shape))
    initialize(model)  # the states of random generators
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


class Padded(keras.layers.Layer):
    """Gives its input the Keras mask `SEEN`, whatever the tokens contain that it hides."""

    def call(self, x):
        return x + 0

    def compute_mask(self, x, previous_mask=None):
        return keras.ops.convert_to_tensor(SEEN)


class WithMask(keras.layers.Layer):
    """Returns its input and the Keras mask that came with it."""

    def call(self, x, mask=None):
        return x, mask

    def compute_mask(self, x, previous_mask=None):
        return None


def check_masks(case):
    """A mask reaches the next layer; hidden tokens change neither the others nor what is pooled."""
    make, arguments, input_shape, output_shape = case
    layer, x = make(**arguments), inputs_of(input_shape)
    axes = (slice(None), None, slice(None), None) if len(input_shape) == 4 else (..., None)
    seen = SEEN[axes]
    answers = []
    for hidden in (x, np.where(seen, x, 7 * x[::-1])):
        y, mask = WithMask()(layer(Padded()(hidden)))
        answers.append(keras.ops.convert_to_numpy(y))
    if len(output_shape) == 2:
        assert mask is None
        np.testing.assert_allclose(answers[1], answers[0], atol=1e-5)
        return
    expected = SEEN
    if make in (layers.ClassToken, layers.RegisterTokens):
        place, count = arguments.get("num_prefix_tokens", 0), arguments.get("num_tokens", 1)
        expected = np.insert(SEEN, [place] * count, True, axis=1)
    reducer = layer if make in REDUCERS else getattr(layer, "reducer", None)
    if reducer is not None:
        expected = mask_of_reduced(reducer)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(mask), expected)
    hidden = np.broadcast_to(~expected[axes], output_shape)
    np.testing.assert_allclose(*(np.where(hidden, 0, y) for y in answers), atol=1e-5)
    assert reducer is not None or (answers[0] != answers[1])[hidden].any()


REDUCERS = (layers.PatchMerger, layers.GridPooling)


def mask_of_reduced(reducer):
    """`SEEN` after a layer that makes fewer tokens: a mean of patches is seen if one of them is."""
    prefix = SEEN[:, : reducer.num_prefix_tokens]
    if isinstance(reducer, layers.PatchMerger):
        return np.concatenate([prefix, np.ones((2, reducer.num_tokens), bool)], axis=1)
    grid = SEEN[:, reducer.num_prefix_tokens :].reshape(2, *reducer.grid_size)
    either = grid[:, ::2, ::2] | grid[:, ::2, 1::2] | grid[:, 1::2, ::2] | grid[:, 1::2, 1::2]
    return np.concatenate([prefix, either.reshape(2, -1)], axis=1)


def configured(model):
    return type(model).from_config(model.get_config())


def copies(model, folder, ways=(configured, keras.models.clone_model)):
    """Yields a model made from another in each of the ways, and what is loaded after saving it."""
    for way in ways:
        copy = way(model)
        copy.set_weights(model.get_weights())
        yield copy
    model.save(folder / "layer.keras")
    yield keras.saving.load_model(folder / "layer.keras")


def trainable_paths(model):
    return [weight.path for weight in model.trainable_weights]


def freeze_some(layer):
    """Freezes every other layer inside."""
    for inner in list(all_layers(layer))[:0:-2]:
        inner.trainable = False


def check_freezing(case, built, folder):
    if built:
        model = functional(case)
        freeze_some(model.get_layer("layer"))
    else:
        model = functional(case, prepare=freeze_some)
    assert len(model.trainable_weights) < len(model.weights)
    for copy in copies(model, folder):
        assert trainable_paths(copy) == trainable_paths(model)
        flags = [[layer.trainable for layer in all_layers(m.get_layer("layer"))] for m in (copy, model)]
        assert flags[0] == flags[1]


def check_frozen(case, folder):
    """A layer that is frozen as a whole, by an argument or by its attribute, has nothing to train."""
    make, arguments, *others = case
    by_argument = functional((make, {**arguments, "trainable": False}, *others))
    by_attribute = functional(case)
    by_attribute.get_layer("layer").trainable = False
    for model in (by_argument, by_attribute):
        for copy in (model, *copies(model, folder)):
            assert not copy.trainable_weights


def check_quantizing(case, mode, folder):
    model, x = functional(case), inputs_of(case[2])
    model.quantize(mode)
    expected = run(model, x)
    assert any(str(weight.dtype) == "int8" for weight in model.weights)
    for copy in copies(model, folder, [keras.models.clone_model]):
        np.testing.assert_array_equal(run(copy, x), expected)


def check_lora(case, folder):
    model, x = functional(case), inputs_of(case[2])
    model.get_layer("layer").enable_lora(2)
    rng = np.random.default_rng(1)
    for weight in model.weights:
        if "lora" in weight.path:
            weight.assign(0.2 * rng.normal(size=weight.shape))
    expected = run(model, x)
    for copy in copies(model, folder):
        assert trainable_paths(copy) == trainable_paths(model)
        # Keras adds the product of the matrices to the kernel when it saves a model.
        np.testing.assert_allclose(run(copy, x), expected, atol=1e-5 * max(np.abs(expected).max(), 1))


def check_policies(case, folder):
    """A layer inside whose data type policy was changed keeps it."""

    def change_last(layer):
        list(all_layers(layer))[-1].dtype_policy = "mixed_bfloat16"

    model = functional(case, prepare=change_last)
    policies = [layer.dtype_policy for layer in all_layers(model.get_layer("layer"))]
    assert {policy.name for policy in policies} == {"float32", "mixed_bfloat16"}
    for copy in copies(model, folder):
        assert [layer.dtype_policy for layer in all_layers(copy.get_layer("layer"))] == policies


def check_remat_scope(case, mode):
    x = inputs_of(case[2])
    with keras.RematScope(mode=mode, layer_names=["layer"]):
        outputs = run(functional(case), x)
    np.testing.assert_allclose(outputs, run(functional(case), x), atol=1e-6)


def outputs():
    return {name: run(functional(case), inputs_of(case[2])) for name, case in CASES.items()}


def compiled_outputs():
    """Those of `outputs`, sooner where a backend compiles operations one by one otherwise."""
    return {name: functional(case).predict_on_batch(inputs_of(case[2])) for name, case in CASES.items()}


if __name__ == "__main__":
    np.savez(sys.argv[1], **compiled_outputs())
