import keras
import numpy as np
import pytest

from keras_vit.layers import MLP, AttentionPooling, SelfAttention, TransformerBlock, TransformerEncoder

X = np.random.default_rng(0).normal(size=(2, 6, 12)).astype("float32")


def numpy(x):
    return keras.ops.convert_to_numpy(x)


def test_pre_norm_is_two_residual_branches_in_order():
    block = TransformerBlock(3, 20)
    y = numpy(block(X))
    x = X + numpy(block.attention(block.attention_norm(X)))
    x = x + numpy(block.mlp(block.mlp_norm(x)))
    np.testing.assert_allclose(y, x, atol=1e-5)


def test_post_norm_normalises_the_sums():
    block = TransformerBlock(3, 20, norm_first=False)
    y = numpy(block(X))
    x = numpy(block.attention_norm(X + numpy(block.attention(X))))
    x = numpy(block.mlp_norm(x + numpy(block.mlp(x))))
    np.testing.assert_allclose(y, x, atol=1e-5)
    np.testing.assert_allclose(y.mean(axis=-1), 0, atol=1e-5)


def test_a_tiny_layer_scale_makes_the_block_nearly_the_identity():
    y = numpy(TransformerBlock(3, 20, layer_scale=1e-6)(X))
    assert 0 < np.abs(y - X).max() < 1e-4


def test_swiglu_gates_one_half_with_the_other():
    mlp = MLP(20, activation="swiglu")
    y = numpy(mlp(X))
    kernel, bias, projection, projection_bias = (w.astype("float64") for w in mlp.get_weights())
    gate, value = np.split(X @ kernel + bias, 2, axis=-1)
    expected = gate / (1 + np.exp(-gate)) * value @ projection + projection_bias
    np.testing.assert_allclose(y, expected, atol=1e-5)


def test_attention_pooling_does_not_depend_on_the_order_of_tokens():
    pooling = AttentionPooling(3, 20)
    np.testing.assert_allclose(numpy(pooling(X)), numpy(pooling(X[:, ::-1])), atol=1e-5)


def test_the_layers_work_in_a_sequential_and_in_a_subclassed_model():
    class Mine(keras.Model):
        def __init__(self):
            super().__init__()
            self.block = TransformerBlock(3, 20)

        def call(self, x, training=False):
            return self.block(x, training=training)

    sequential = keras.Sequential([keras.Input((6, 12)), TransformerBlock(3, 20), AttentionPooling(3, 20)])
    assert sequential.output_shape == (None, 12)
    assert Mine()(X).shape == (2, 6, 12)


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize(
    "make",
    [
        lambda **kwargs: SelfAttention(3, **kwargs),
        lambda **kwargs: TransformerBlock(3, 20, **kwargs),
        lambda **kwargs: TransformerEncoder(2, 3, 20, **kwargs),
    ],
    ids=["attention", "block", "encoder"],
)
def test_attention_scores_can_be_an_output_of_a_functional_model(make, dtype):
    layer, x = make(dtype=dtype), keras.Input((6, 12))
    model = keras.Model(x, layer(x, return_attention_scores=True))
    expected = layer(X, return_attention_scores=True)
    keras.tree.map_structure(np.testing.assert_array_equal, *map(_as_arrays, (model(X), expected)))
    for symbolic, actual in zip(keras.tree.flatten(model.outputs), keras.tree.flatten(expected), strict=True):
        assert symbolic.shape == (None, *actual.shape[1:])
        assert symbolic.dtype == keras.backend.standardize_dtype(actual.dtype)


def _as_arrays(tensors):
    return keras.tree.map_structure(lambda x: numpy(keras.ops.cast(x, "float32")), tensors)
