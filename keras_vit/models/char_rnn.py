"""Recurrent models of characters."""

from typing import Annotated

import keras
from keras import ops

from keras_vit.constraints import Choices, Range, checked
from keras_vit.errors import InputError
from keras_vit.layers._layer_seeds import layer_seeds
from keras_vit.layers._options import Count, DType, Rate, Seed
from keras_vit.models.arguments import HiddenSize

CELLS = {"simple": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM, "gru": keras.layers.GRU}


@checked
def char_rnn(
    cell: Annotated[str, Choices(*CELLS)] = "gru",
    *,
    vocabulary_size: Annotated[int, Range(1)],
    hidden_dim: HiddenSize = 128,
    num_layers: Count = 1,
    embedding_dim: HiddenSize | None = None,
    bidirectional: bool = False,
    dropout_rate: Rate = 0.0,
    seed: Seed = None,
    dtype: DType = "float32",
    name: str | None = None,
) -> keras.Model:
    """Builds a stack of recurrent layers that outputs logits for each character.

    Args:
        cell: `"simple"`, `"lstm"` or `"gru"`.
        vocabulary_size: int, number of different tokens.
        hidden_dim: int, size of the state of each layer.
        num_layers: int, how many recurrent layers.
        embedding_dim: int, size of a token's learned vector; None feeds tokens one-hot.
        bidirectional: bool, reads the text in both directions. Such a model can label or score a complete
            text, but not generate one, because each logit depends on what follows.
        dropout_rate: float in [0, 1], after the embedding and after each recurrent layer.
        seed: int or None, of the dropout.
        dtype: str or `keras.DTypePolicy`; logits are float32 under each.
        name: str, of the model; by default the cell and its size.

    Returns:
        A functional `keras.Model` from int32 tokens `(batch, length)` to logits
        `(batch, length, vocabulary_size)`. A logit depends on the tokens up to its own.

    Raises:
        InputError: an unknown cell, a size below 1, or a rate out of range.

    Example:
        >>> model = char_rnn("gru", vocabulary_size=27, hidden_dim=64, embedding_dim=16)
        >>> model.output_shape, model.count_params()
        ((None, None, 27), 17931)

    Reference: https://arxiv.org/abs/1308.0850; LSTM: https://doi.org/10.1162/neco.1997.9.8.1735; GRU:
        https://arxiv.org/abs/1406.1078
    """
    seeds = layer_seeds(seed)
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    x = _dropout(dropout_rate, 0, seeds, dtype)(_embedding(vocabulary_size, embedding_dim, dtype)(tokens))
    for index in range(num_layers):
        layer = CELLS[cell](
            hidden_dim,
            return_sequences=True,
            return_state=True,
            seed=next(seeds),
            dtype=dtype,
            name=f"rnn_{index}",
        )
        if bidirectional:
            layer = keras.layers.Bidirectional(layer, dtype=dtype, name=f"bidirectional_{index}")
        x, *_ = layer(x)
        x = _dropout(dropout_rate, index + 1, seeds, dtype)(x)
    logits = keras.layers.Dense(vocabulary_size, dtype="float32", name="head")(x)
    return keras.Model(tokens, logits, name=name or f"{cell}_{hidden_dim}")


@checked
def step_model(model: keras.Model) -> keras.Model:
    """Builds the form of a `char_rnn` that reads one character and returns its states.

    It shares the weights of the model and returns the same logits, one character at a time. It has no loop,
    which runs fastest on phones.

    Args:
        model: a `char_rnn`, not bidirectional.

    Returns:
        A functional `keras.Model` from `[tokens, *states]` to `[logits, *states]`: int32 tokens
        `(batch,)`, logits `(batch, vocabulary_size)`, and for each layer a state `(batch, hidden_dim)`, an
        LSTM has two. A text begins with states of zeros, see `zero_states`.

    Raises:
        InputError: another model, or a bidirectional one.

    Example:
        >>> step = step_model(char_rnn("lstm", vocabulary_size=27, hidden_dim=8))
        >>> [x.shape for x in step.inputs]
        [(None,), (None, 8), (None, 8)]
    """
    return _with_states(model, (), one_step)


def sequence_model(model):
    """Builds the form of a `char_rnn` that reads several characters and returns its states.

    Args:
        model: a `char_rnn`, not bidirectional.

    Returns:
        As `step_model`, but for int32 tokens `(batch, length)` and logits
        `(batch, length, vocabulary_size)`.

    Raises:
        InputError: another model, or a bidirectional one.
    """
    return _with_states(model, (None,), lambda rnn, x, before: rnn(x, initial_state=before))


def zero_states(model, batch_size):
    """Returns the states before the first character, for a `step_model` or `sequence_model`."""
    return [ops.zeros((batch_size, x.shape[-1]), dtype=x.dtype) for x in model.inputs[1:]]


def is_recurrent(model):
    """Returns whether a model is a `char_rnn` that reads in one direction, or of the same layers."""
    layers = getattr(model, "operations", [])[1:]  # a Sequential has none
    cells = [layer for layer in layers if isinstance(layer, tuple(CELLS.values()))]
    if not cells or not isinstance(layers[0], keras.layers.Embedding) or layers[0].mask_zero:
        return False
    is_chain = all(isinstance(layer, (*CELLS.values(), keras.layers.Dropout)) for layer in layers[1:-1])
    return is_chain and all(cell.return_sequences and cell.return_state for cell in cells)


def _with_states(model, length, read):
    if not is_recurrent(model):
        raise InputError(
            f"Expected a char_rnn that reads in one direction, received {model.name!r}. A bidirectional "
            "model needs the whole text at once."
        )
    tokens = keras.Input(length, dtype="int32", name="tokens")
    x, befores, afters = tokens, [], []
    for layer in model.layers[1:]:
        if not isinstance(layer, tuple(CELLS.values())):
            x = layer(x)
            continue
        before = state_inputs(layer)
        x, *after = read(layer, x, before)
        befores, afters = [*befores, *before], [*afters, *after]
    return keras.Model([tokens, *befores], [x, *afters], name=model.name)


def one_step(rnn, x, before):
    """Returns the output of a recurrent layer for one step, and the list of its states."""
    inputs = [keras.Input(x.shape[1:], dtype=x.dtype, name="x"), *state_inputs(rnn)]
    output, after = rnn.cell(inputs[0], inputs[1:])
    # A separate model, because Keras gives all cells of a kind the same name.
    return keras.Model(inputs, [output, *after], name=rnn.name)([x, *before])


def state_inputs(layer):
    """Returns a `keras.Input` for each state of a recurrent layer."""
    sizes = layer.state_size if isinstance(layer.state_size, list | tuple) else [layer.state_size]
    return [
        keras.Input((size,), dtype=layer.compute_dtype, name=f"{layer.name}_state_{index}")
        for index, size in enumerate(sizes)
    ]


def _embedding(vocabulary_size, embedding_dim, dtype):
    if embedding_dim is None:  # CategoryEncoding fails under tf.function where the length is unknown
        options = {"embeddings_initializer": "identity", "trainable": False, "name": "one_hot"}
        return keras.layers.Embedding(vocabulary_size, vocabulary_size, dtype=dtype, **options)
    return keras.layers.Embedding(vocabulary_size, embedding_dim, dtype=dtype, name="embedding")


def _dropout(rate, index, seeds, dtype):
    return keras.layers.Dropout(rate, seed=next(seeds), dtype=dtype, name=f"dropout_{index}")
