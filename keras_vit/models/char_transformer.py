"""A transformer of characters."""

import keras

from keras_vit import layers
from keras_vit.errors import InputError


def char_transformer(
    *,
    vocabulary_size,
    length,
    hidden_dim=64,
    num_layers=4,
    num_heads=4,
    mlp_dim=None,
    activation="gelu",
    qk_norm=False,
    dropout_rate=0.0,
    attention_dropout_rate=0.0,
    drop_path_rate=0.0,
    seed=None,
    dtype="float32",
    name=None,
):
    """Builds a decoder of characters from the blocks of the Vision Transformer, with a causal mask.

    Args:
        vocabulary_size: int, number of different tokens.
        length: int, tokens that it reads at once, and the most that it looks back.
        hidden_dim, num_layers, num_heads: ints.
        mlp_dim: int, by default four times `hidden_dim`.
        activation, qk_norm: as in `TransformerBlock`.
        dropout_rate: float in [0, 1], after the position embedding, attention and in the MLPs.
        attention_dropout_rate: float in [0, 1], on the attention scores.
        drop_path_rate: float in [0, 1), of the last block, rising linearly from 0.
        seed: int or None, of all that is random in training.
        dtype: str or `keras.DTypePolicy`; logits are float32 under each.
        name: str, of the model; by default with its sizes.

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
    _check(vocabulary_size=vocabulary_size, length=length, hidden_dim=hidden_dim)
    tokens = keras.Input((length,), dtype="int32", name="tokens")
    try:
        x = keras.layers.Embedding(vocabulary_size, hidden_dim, dtype=dtype, name="embedding")(tokens)
        x = layers.PositionEmbedding((1, length), dtype=dtype, name="position_embedding")(x)
        x = keras.layers.Dropout(dropout_rate, seed=seed, dtype=dtype, name="dropout")(x)
        x = layers.TransformerEncoder(
            num_layers,
            num_heads,
            4 * hidden_dim if mlp_dim is None else mlp_dim,
            causal=True,
            dropout_rate=dropout_rate,
            attention_dropout_rate=attention_dropout_rate,
            drop_path_rate=drop_path_rate,
            qk_norm=qk_norm,
            activation=activation,
            seed=seed,
            dtype=dtype,
            name="decoder",
        )(x)
    except ValueError as error:
        raise InputError(str(error).split("\n")[0]) from error
    logits = keras.layers.Dense(vocabulary_size, dtype="float32", name="head")(x)
    return keras.Model(tokens, logits, name=name or f"char_transformer_{hidden_dim}_{num_layers}")


def _check(**sizes):
    for field, value in sizes.items():
        if value < 1:
            raise InputError(f"Expected {field} to be at least 1, received {value}.")
