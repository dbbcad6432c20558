"""A recurrent encoder and decoder of characters, with attention between them."""

from typing import Annotated

import keras
from keras import ops

from keras_vit.constraints import Choices, Range, checked
from keras_vit.errors import InputError
from keras_vit.layers._layer_seeds import layer_seeds
from keras_vit.layers._options import DType, Rate, Seed
from keras_vit.models.arguments import HiddenSize
from keras_vit.models.char_rnn import CELLS, one_step, state_inputs

ATTENTIONS = {"additive": keras.layers.AdditiveAttention, "dot": keras.layers.Attention}
Length = Annotated[int, Range(1, 2**16)] | None
_PARTS = ("source_embedding", "encoder", "memory", "target_embedding", "decoder", "query", "attention")
_PARTS += ("combination", "head")  # names of layers


@checked
def char_seq2seq(
    cell: Annotated[str, Choices(*CELLS)] = "gru",
    *,
    vocabulary_size: Annotated[int, Range(1)],
    hidden_dim: HiddenSize = 128,
    embedding_dim: HiddenSize = 32,
    attention: Annotated[str, Choices(*ATTENTIONS)] = "additive",
    dropout_rate: Rate = 0.0,
    source_length: Length = None,
    target_length: Length = None,
    seed: Seed = None,
    dtype: DType = "float32",
    name: str | None = None,
) -> keras.Model:
    """Builds a model that reads one text and writes another, such as a date in words and its digits.

    The encoder reads the source in both directions; what it has read at each character is the memory. The
    decoder writes the target: its state after the characters so far decides where in the memory it looks,
    and what it finds there, together with the state, gives the logits of the next. The score is that of
    Bahdanau et al.; that the state asks after its step, and not before, is Luong et al.'s order, in which
    all characters of a known target are read at once.

    Args:
        cell: `"simple"`, `"lstm"` or `"gru"`.
        vocabulary_size: int, number of different tokens of source and target together.
        hidden_dim: int, size of the state of each direction and of the decoder, and of the memory.
        embedding_dim: int, size of a token's learned vector.
        attention: `"additive"`, the score of Bahdanau et al., or `"dot"`, a product, with a learned factor.
        dropout_rate: float in [0, 1], after both embeddings and before the logits.
        source_length, target_length: int, tokens of a row, or None for any number.
        seed: int or None, of the dropout.
        dtype: str or `keras.DTypePolicy`; logits are float32 under each.
        name: str, of the model; by default the cell and its size.

    Returns:
        A functional `keras.Model` from `[source, target]`, int32 tokens `(batch, source_length)` and `(batch,
        target_length)`, to logits `(batch, target_length, vocabulary_size)`. In the source 0 is no character
        and fills up a row; the target begins with 0. A logit depends on the target up to its own place.

    Raises:
        InputError: an unknown cell or attention, a size below 1, or a rate out of range.

    Example:
        >>> model = char_seq2seq(vocabulary_size=40, hidden_dim=32, embedding_dim=16)
        >>> model.output_shape, model.count_params()
        ((None, None, 40), 24296)

    Reference: attention: https://arxiv.org/abs/1409.0473; its order: https://arxiv.org/abs/1508.04025; GRU:
        https://arxiv.org/abs/1406.1078
    """
    seeds = layer_seeds(seed)
    known = {"dtype": dtype}
    rnn = {"return_sequences": True, "return_state": True, **known}
    source = keras.Input((source_length,), dtype="int32", name="source")
    embedding = keras.layers.Embedding(
        vocabulary_size, embedding_dim, mask_zero=True, name="source_embedding", **known
    )
    x = _dropout(dropout_rate, "source_dropout", next(seeds), dtype)(embedding(source))
    encoder = keras.layers.Bidirectional(
        CELLS[cell](hidden_dim, seed=next(seeds), name="encoder_cell", **rnn), name="encoder", **known
    )
    x, *states = encoder(x)
    memory = keras.layers.Dense(hidden_dim, name="memory", **known)(x)
    before = _first_states(states, hidden_dim, dtype)

    target = keras.Input((target_length,), dtype="int32", name="target")
    x = keras.layers.Embedding(vocabulary_size, embedding_dim, name="target_embedding", **known)(target)
    x = _dropout(dropout_rate, "target_dropout", next(seeds), dtype)(x)
    x, *_ = CELLS[cell](hidden_dim, seed=next(seeds), name="decoder", **rnn)(x, initial_state=before)
    query = keras.layers.Dense(hidden_dim, use_bias=False, name="query", **known)(x)
    attend = ATTENTIONS[attention](use_scale=True, name="attention", **known)
    # With the shares, which nothing here uses: Keras expects of a layer equally many outputs at each call.
    found, _ = attend([query, memory], return_attention_scores=True)
    x = keras.layers.Concatenate(name="state_and_found", **known)([x, found])
    x = keras.layers.Dense(hidden_dim, activation="tanh", name="combination", **known)(x)
    x = _dropout(dropout_rate, "dropout", next(seeds), dtype)(x)
    logits = keras.layers.Dense(vocabulary_size, dtype="float32", name="head")(x)
    return keras.Model([source, target], logits, name=name or f"seq2seq_{cell}_{hidden_dim}")


@checked
def seq2seq_encoder(model: keras.Model) -> keras.Model:
    """Builds the part of a `char_seq2seq` that reads the source. It shares the weights of the model.

    Args:
        model: a `char_seq2seq`.

    Returns:
        A functional `keras.Model` from int32 tokens `(batch, source_length)` to `[memory, mask, *states]`, as
        `seq2seq_step` takes them: the memory `(batch, source_length, hidden_dim)`, 0 where there is no
        character; the mask `(batch, source_length)`, 1.0 for characters and 0.0 for what fills up a row; and
        the decoder's first states.

    Raises:
        InputError: another model.

    Example:
        >>> encoder = seq2seq_encoder(char_seq2seq(vocabulary_size=40, hidden_dim=8))
        >>> [tuple(x.shape) for x in encoder(ops.ones((1, 5), "int32"))]
        [(1, 5, 8), (1, 5), (1, 8)]
    """
    layers = _layers(model)
    source = keras.Input(model.inputs[0].shape[1:], dtype="int32", name="source")
    memory, states = _read(layers, source)
    mask = ops.cast(ops.not_equal(source, 0), memory.dtype)
    memory = ops.multiply(memory, ops.expand_dims(mask, -1))
    return keras.Model(source, [memory, mask, *states], name=f"{model.name}_encoder")


@checked
def seq2seq_step(model: keras.Model) -> keras.Model:
    """Builds the part of a `char_seq2seq` that writes one character. It shares the weights of the model.

    Args:
        model: a `char_seq2seq`.

    Returns:
        A functional `keras.Model` from `[tokens, memory, mask, *states]` to `[logits, *states]`: int32 tokens
        `(batch,)`, at first 0; memory, mask and the first states from `seq2seq_encoder`; and logits `(batch,
        vocabulary_size)` of the next token.

    Raises:
        InputError: another model.

    Example:
        >>> step = seq2seq_step(char_seq2seq("lstm", vocabulary_size=40, hidden_dim=8))
        >>> [x.shape for x in step.inputs]
        [(None,), (None, None, 8), (None, None), (None, 8), (None, 8)]
    """
    layers = _layers(model)
    dtype, size = layers["memory"].compute_dtype, layers["memory"].units
    length = model.inputs[0].shape[1]
    token = keras.Input((), dtype="int32", name="token")
    memory = keras.Input((length, size), dtype=dtype, name="memory")
    mask = keras.Input((length,), dtype=dtype, name="mask")
    before = state_inputs(layers["decoder"])
    x, *after = one_step(layers["decoder"], layers["target_embedding"](token), before)
    logits, _ = _answer(layers, ops.expand_dims(x, 1), memory, ops.not_equal(mask, 0))
    logits = ops.squeeze(logits, 1)
    return keras.Model([token, memory, mask, *before], [logits, *after], name=f"{model.name}_step")


@checked
def seq2seq_attention(model: keras.Model) -> keras.Model:
    """Builds the form of a `char_seq2seq` that returns where it looks. It shares the weights of the model.

    Args:
        model: a `char_seq2seq`.

    Returns:
        A functional `keras.Model` from the inputs of the model to `(batch, target_length, source_length)`:
        for each character to write, shares of the characters of the source, which sum to 1.

    Raises:
        InputError: another model.

    Example:
        >>> look = seq2seq_attention(char_seq2seq(vocabulary_size=40, hidden_dim=8))
        >>> tuple(look([ops.ones((1, 5), "int32"), ops.zeros((1, 3), "int32")]).shape)
        (1, 3, 5)
    """
    layers = _layers(model)
    source, target = (keras.Input(x.shape[1:], dtype="int32", name=x.name) for x in model.inputs)
    memory, before = _read(layers, source)
    x, *_ = layers["decoder"](layers["target_embedding"](target), initial_state=before)
    _, shares = _answer(layers, x, memory, ops.not_equal(source, 0))
    return keras.Model([source, target], shares, name=f"{model.name}_attention")


def is_seq2seq(model):
    """Returns whether a model is a `char_seq2seq`, or of the same layers."""
    layers = {layer.name: layer for layer in getattr(model, "layers", ())}
    if not set(_PARTS) <= layers.keys() or len(model.inputs) != 2:
        return False
    encoder = layers["encoder"]
    return (
        isinstance(encoder, keras.layers.Bidirectional)
        and isinstance(encoder.forward_layer, tuple(CELLS.values()))
        and type(layers["decoder"]) is type(encoder.forward_layer)
        and isinstance(layers["attention"], tuple(ATTENTIONS.values()))
    )


def first_state_layers(layers):
    """Returns the layers that make the decoder's first states, of a dict of a model's layers by name."""
    return [layers[name] for name in ("first_state_0", "first_state_1") if name in layers]


def _layers(model):
    if not is_seq2seq(model):
        raise InputError(f"Expected a char_seq2seq, received {model.name!r}.")
    return {layer.name: layer for layer in model.layers}


def _read(layers, source):
    x, *states = layers["encoder"](layers["source_embedding"](source))
    makers = first_state_layers(layers)
    both = zip(makers, states[: len(makers)], states[len(makers) :], strict=True)
    first = [make(ops.concatenate([forwards, backwards], axis=-1)) for make, forwards, backwards in both]
    return layers["memory"](x), first


def _answer(layers, x, memory, mask):
    """Returns logits, and where in the memory the decoder's states `x` look."""
    found, shares = layers["attention"](
        [layers["query"](x), memory], mask=[None, mask], return_attention_scores=True
    )
    x = layers["combination"](ops.concatenate([x, found], axis=-1))
    return layers["head"](x), shares


def _first_states(states, hidden_dim, dtype):
    half = len(states) // 2
    return [
        keras.layers.Dense(hidden_dim, activation="tanh", dtype=dtype, name=f"first_state_{index}")(
            keras.layers.Concatenate(dtype=dtype, name=f"both_ends_{index}")([forwards, backwards])
        )
        for index, (forwards, backwards) in enumerate(zip(states[:half], states[half:], strict=True))
    ]


def _dropout(rate, name, seed, dtype):
    return keras.layers.Dropout(rate, seed=seed, dtype=dtype, name=name)
