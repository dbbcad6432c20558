"""A transformer of characters."""

from typing import Annotated, Unpack

import keras

from keras_vit import layers
from keras_vit.constraints import Range, checked
from keras_vit.layers._options import BLOCK_DEFAULTS, BlockOptions, Count, DType, Seed
from keras_vit.models.arguments import HiddenSize, MLPSize


@checked
def char_transformer(
    *,
    vocabulary_size: Annotated[int, Range(1)],
    length: Annotated[int, Range(1)],
    hidden_dim: HiddenSize = 64,
    num_layers: Count = 4,
    num_heads: Count = 4,
    mlp_dim: MLPSize | None = None,
    seed: Seed = None,
    dtype: DType = "float32",
    name: str | None = None,
    **options: Unpack[BlockOptions],
) -> keras.Model:
    """Builds a decoder of characters from the blocks of the Vision Transformer, with a causal mask.

    Args:
        vocabulary_size: int, number of different tokens.
        length: int, tokens that it reads at once, and the most that it looks back.
        hidden_dim, num_layers, num_heads: ints.
        mlp_dim: int, by default four times `hidden_dim`.
        seed: int or None, of all that is random in training.
        dtype: str or `keras.DTypePolicy`; logits are float32 under each.
        name: str, of the model; by default with its sizes.
        **options: of the blocks, see `keras_vit.layers.BlockOptions`.

    Returns:
        A functional `keras.Model` from int32 tokens `(batch, length)` to logits
        `(batch, length, vocabulary_size)`. A logit at a place has seen the tokens up to it.

    Raises:
        InputError: sizes that do not fit together.

    Example:
        >>> model = char_transformer(vocabulary_size=27, length=16, hidden_dim=32, num_layers=2)
        >>> model.output_shape
        (None, 16, 27)

    Reference: https://arxiv.org/abs/1706.03762, section 3.2.3; pre-norm as in GPT-2.
    """
    tokens = keras.Input((length,), dtype="int32", name="tokens")
    x = keras.layers.Embedding(vocabulary_size, hidden_dim, dtype=dtype, name="embedding")(tokens)
    x = layers.PositionEmbedding((1, length), dtype=dtype, name="position_embedding")(x)
    dropout_rate = options.get("dropout_rate", BLOCK_DEFAULTS["dropout_rate"])
    x = keras.layers.Dropout(dropout_rate, seed=seed, dtype=dtype, name="dropout")(x)
    mlp_dim = 4 * hidden_dim if mlp_dim is None else mlp_dim
    x = layers.TransformerEncoder(
        num_layers, num_heads, mlp_dim, causal=True, seed=seed, dtype=dtype, name="decoder", **options
    )(x)
    logits = keras.layers.Dense(vocabulary_size, dtype="float32", name="head")(x)
    return keras.Model(tokens, logits, name=name or f"char_transformer_{hidden_dim}_{num_layers}")
