"""Writes the target of a source with a model of pairs of texts, character by character."""

from collections.abc import Sequence

import keras
import numpy as np

from keras_vit.errors import InputError, counted
from keras_vit.models.char_seq2seq import seq2seq_encoder, seq2seq_step
from keras_vit.text.vocabulary import BOUNDARY, Vocabulary
from keras_vit.text.windows import padded_tokens

_ROWS = 256  # that are written at once


class PairReader:
    """Reads sources and targets with a `char_seq2seq`, any number of rows at once.

    Attributes:
        max_source: int, characters of a source at most.
        max_target: int, characters of a target at most.
    """

    def __init__(self, model: keras.Model):
        self.encoder, self.step = seq2seq_encoder(model), seq2seq_step(model)
        source, target = (tensor.shape[1] for tensor in model.inputs)
        self.max_source, self.max_target = source, target - 1

    def begin(self, source: np.ndarray):
        """Reads sources, int32 `(batch, max_source)`, and begins their targets."""
        read = self.encoder.predict_on_batch(keras.ops.array(source, "int32"))
        self.memory, self.mask, *self.states = map(keras.ops.array, read)

    def read(self, tokens: np.ndarray) -> np.ndarray:
        """Reads int32 tokens `(batch,)`; returns float64 logits `(batch, vocabulary_size)` of the next."""
        inputs = [keras.ops.array(tokens, "int32"), self.memory, self.mask, *self.states]
        logits, *states = self.step.predict_on_batch(inputs)
        self.states = list(map(keras.ops.array, states))
        return np.asarray(logits, "float64")


def transduce(reader, vocabulary: Vocabulary, sources: Sequence[str]) -> list[str]:
    """Returns what a model writes for each source: always the likeliest character, until it ends the text.

    Args:
        reader: with `begin`, `read`, `max_source` and `max_target`, such as `PairReader`.
        vocabulary: of the model.
        sources: texts of one line, not longer than `max_source`.

    Raises:
        InputError: a source that is empty, too long, or has characters without a token.
    """
    sources = [source.strip() for source in sources]
    for source in sources:
        check_source(source, reader.max_source)
    tokens = padded_tokens(sources, vocabulary, reader.max_source)
    parts = [tokens[first : first + _ROWS] for first in range(0, len(tokens), _ROWS)]
    return [vocabulary.decode(row) for part in parts for row in _written(reader, vocabulary, part)]


def unreadable(reader, vocabulary: Vocabulary, source: str) -> InputError | None:
    """Returns why a model cannot read a source, or None where it can."""
    try:
        check_source(source.strip(), reader.max_source)
        padded_tokens([source.strip()], vocabulary, reader.max_source)
    except InputError as error:
        return error
    return None


def check_source(source: str, most: int):
    """Raises InputError for a source that a model cannot read."""
    if not source or BOUNDARY in source:
        received = "one of several lines" if source else "an empty one"
        raise InputError(f"Expected a text of one line to answer, received {received}.")
    if len(source) > most:
        raise InputError(
            f"Expected a text of at most {counted(most, 'character')}, received {len(source)}: "
            f"{source[:40]!r} ... Shorten it, or train with max_source={len(source)}."
        )


def _written(reader, vocabulary, source):
    """Returns the tokens of the targets of some rows, without their ends."""
    reader.begin(source)
    token, going = np.zeros(len(source), "int32"), np.ones(len(source), bool)
    rows = [[] for _ in source]
    for _ in range(reader.max_target):
        logits = reader.read(token)
        if vocabulary.unknown_token is not None:
            logits[:, vocabulary.unknown_token] = -np.inf
        token = logits.argmax(axis=1).astype("int32")
        going &= token != 0
        if not going.any():
            break
        for row in np.flatnonzero(going):
            rows[row].append(token[row])
    return rows
