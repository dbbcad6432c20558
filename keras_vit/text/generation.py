"""Generates text with a model of characters."""

from typing import Annotated

import numpy as np

from keras_vit.constraints import Range, checked
from keras_vit.errors import InputError, counted
from keras_vit.text.sampling import draw, gumbel_noise, next_probabilities
from keras_vit.text.vocabulary import Vocabulary

MAX_LENGTH = 200  # characters; the default


@checked
def generate(
    reader,
    vocabulary: Vocabulary,
    num_samples: Annotated[int, Range(1, 100_000)] = 10,
    *,
    temperature: Annotated[float, Range(1e-9)] = 1.0,
    top_k: Annotated[int, Range(1)] | None = None,
    top_p: Annotated[float, Range(1e-9, 1)] | None = None,
    prefix: str = "",
    seed: Annotated[int, Range(0)] = 0,
    max_length: Annotated[int, Range(1)] = MAX_LENGTH,
    stop: bool = True,
) -> list[str]:
    """Draws texts from a model, character by character.

    The same seed produces the same texts from each form of a model, as long as their logits agree.

    Args:
        reader: reads tokens for a model, with `begin(batch_size)` and `read(tokens)`; see
            `keras_vit.text.readers.reader_of`.
        vocabulary: of the model.
        num_samples: from 1 to 100,000 texts, which are drawn together.
        temperature: above 0, divides the logits. Below 1 likely characters become likelier.
        top_k: only that many of the likeliest characters may follow.
        top_p: in (0, 1]; only the likeliest characters that together reach this probability may follow.
            Applied after `top_k`.
        prefix: start of every text.
        seed: at least 0.
        max_length: characters of a text with its prefix.
        stop: ends a text at a newline, which is left out.

    Returns:
        The texts, each with the prefix.

    Reference: top-k: https://arxiv.org/abs/1805.04833; top-p: https://arxiv.org/abs/1904.09751
    """
    if stop and "\n" in prefix:
        raise InputError("Expected a prefix within one line, received one with a newline.")
    start = np.concatenate([[0], vocabulary.encode(prefix, f"The prefix {prefix!r}")])
    if len(prefix) > max_length:
        raise InputError(
            f"The prefix has {counted(len(prefix), 'character')}, more than max_length={max_length}. "
            "Shorten it."
        )
    noise = gumbel_noise(seed, num_samples, len(vocabulary))
    reader.begin(num_samples)
    for token in start:
        logits = reader.read(np.full(num_samples, token, "int32"))
    texts, going = [[] for _ in range(num_samples)], np.ones(num_samples, bool)
    for _ in range(max_length - len(prefix)):
        probabilities = next_probabilities(logits, temperature, top_k, top_p, vocabulary.unknown_token)
        tokens = draw(probabilities, next(noise))
        going &= ~((tokens == 0) & stop)
        if not going.any():
            break
        for row in np.flatnonzero(going):
            texts[row].append(tokens[row])
        logits = reader.read(tokens)
    return [prefix + vocabulary.decode(text) for text in texts]
