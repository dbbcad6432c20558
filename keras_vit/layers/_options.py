"""The options that layers share, each with its type, limits, default and meaning."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypedDict

import keras

from keras_vit.constraints import Choices, Range
from keras_vit.pairs import Pixels

DType = str | keras.DTypePolicy | None
Seed = int | None
Count = Annotated[int, Range(1, 1000)]  # of layers, heads or tokens
Rate = Annotated[float, Range(0, 1)]  # of dropout
RateBelowOne = Annotated[float, Range(0, 1, below=True)]  # of stochastic depth
Side = Annotated[int, Range(1)]
Pair = Side | tuple[Side, Side]  # `(rows, columns)`
PixelPair = Pixels | tuple[Pixels, Pixels]  # `(height, width)`
Epsilon = Annotated[float, Range(1e-12, 1)]  # of normalization
Width = Annotated[int, Range(1, 2**19)]  # of a hidden layer
_ACTIVATIONS = Choices(
    "gelu", "gelu_tanh", "quick_gelu", "swiglu", others="a function such as keras.activations.relu"
)
Activation = Annotated[str, _ACTIVATIONS] | Callable | Mapping
Initializer = str | keras.initializers.Initializer | Mapping
Regularizer = str | keras.regularizers.Regularizer | Mapping | None


class LayerOptions(TypedDict, total=False):
    """What every Keras layer accepts."""

    name: str | None
    dtype: DType
    trainable: bool
    autocast: bool
    activity_regularizer: Any


class DenseOptions(TypedDict, total=False):
    """Options of all dense layers inside a layer.

    Args:
        kernel_initializer, bias_initializer: Keras initializers or their names. Default: `"glorot_uniform"`,
            `"zeros"`. Each layer draws with its own seed, derived from the initializer's.
        kernel_regularizer, bias_regularizer: Keras regularizers or their names. Default: None.
    """

    kernel_initializer: Initializer
    bias_initializer: Initializer
    kernel_regularizer: Regularizer
    bias_regularizer: Regularizer


class DenseLayerOptions(DenseOptions, LayerOptions):
    """Options of layers with dense layers inside."""


class BlockOptions(DenseOptions, total=False):
    """Options of `TransformerBlock`, which encoders and models pass on as a whole.

    Args:
        dropout_rate: float in [0, 1], after attention and in the MLP (in models also after the position
            embedding). Default 0.
        attention_dropout_rate: float in [0, 1], on the attention scores. Default 0.
        drop_path_rate: float in [0, 1), probability that a sample skips a branch in training. In an encoder
            the rate of the last block; it rises linearly from 0 at the first. Default 0.
        layer_scale: float, initial value of the branches' learned factors, or None (default) for none.
        qk_norm: bool, normalizes queries and keys per head. Default False.
        qkv_bias: bool, whether query, key and value have a bias. Default True.
        key_bias: bool, False leaves only the key without one. Default True.
        activation: of the MLP, as in `MLP`. Default `"gelu"`.
        inner_norm: None (default), `"mlp"` or `"both"`: the branches whose last dense layer's input is
            normalized.
        epsilon: float above 0, of the layer normalizations. Default 1e-6.
        norm_first: bool. True (default) normalizes a branch's input (pre-norm, as in the Vision Transformer),
            False the sum (post-norm, as in the original Transformer).
        attention_initializer: `"mimetic"`, as trained transformers are (Trockman and Kolter 2023,
            https://arxiv.org/abs/2305.09828), or None (default): as `kernel_initializer`.
        kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer: of all dense layers of the
            blocks, as in Keras. Default: `"glorot_uniform"`, `"zeros"`, None, None.

    Example:
        >>> import keras_vit
        >>> options = keras_vit.layers.BlockOptions(layer_scale=1e-5, drop_path_rate=0.1)
        >>> block = keras_vit.layers.TransformerBlock(num_heads=2, mlp_dim=8, **options)
        >>> block.layer_scale
        1e-05
    """

    dropout_rate: Rate
    attention_dropout_rate: Rate
    drop_path_rate: RateBelowOne
    layer_scale: Annotated[float, Range(-1e6, 1e6)] | None
    qk_norm: bool
    qkv_bias: bool
    key_bias: bool
    activation: Activation
    inner_norm: Annotated[str, Choices("mlp", "both")] | None
    epsilon: Epsilon
    norm_first: bool
    attention_initializer: Annotated[str, Choices("mimetic")] | None


class BlockLayerOptions(BlockOptions, LayerOptions, total=False):
    """Options of a block or an encoder by itself.

    Args:
        rotary: dict of the arguments of a `RotaryPositionEmbedding` of queries and keys, or None (default).
        causal: bool, a query sees only the keys up to its own place. Default False.
        seed: int or None (default), of all that is random in training.
    """

    rotary: Mapping[str, Any] | None
    causal: bool
    seed: Seed


DENSE_DEFAULTS = DenseOptions(
    kernel_initializer="glorot_uniform",
    bias_initializer="zeros",
    kernel_regularizer=None,
    bias_regularizer=None,
)
BLOCK_DEFAULTS = BlockOptions(
    **DENSE_DEFAULTS,
    dropout_rate=0.0,
    attention_dropout_rate=0.0,
    drop_path_rate=0.0,
    layer_scale=None,
    qk_norm=False,
    qkv_bias=True,
    key_bias=True,
    activation="gelu",
    inner_norm=None,
    epsilon=1e-6,
    norm_first=True,
    attention_initializer=None,
)
LAYER_DEFAULTS = BlockLayerOptions(**BLOCK_DEFAULTS, rotary=None, causal=False, seed=None)
