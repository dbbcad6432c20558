"""New text from a model of characters."""

import numpy as np

from keras_vit.errors import InputError
from keras_vit.text.sampling import check_sampling, draw, gumbel_noise, next_probabilities
from keras_vit.text.vocabulary import quoted

MAX_LENGTH = 200  # characters, where nobody asks for another length


def generate(
    reader,
    vocabulary,
    num_samples=10,
    *,
    temperature=1.0,
    top_k=None,
    top_p=None,
    prefix="",
    seed=0,
    max_length=MAX_LENGTH,
    stop=True,
):
    """Draws texts from a model, character by character.

    The same seed gives the same texts from each form of a model, as long as their logits agree.

    Args:
        reader: what reads tokens for a model, with `begin(batch_size)` and `read(tokens)`, such as
            `keras_vit.text.readers.reader_of(model)` gives.
        vocabulary: Vocabulary of the model.
        num_samples: int, how many texts.
        temperature: float above 0, by which logits are divided. Below 1 likely characters become likelier.
        top_k: int of at least 1, or None; only that many of the likeliest characters may follow.
        top_p: float in (0, 1], or None; only the likeliest characters that together reach this
            probability may follow. Applied after `top_k`.
        prefix: str, what every text begins with.
        seed: int of at least 0; the same seed gives the same texts.
        max_length: int, characters of a text with its prefix.
        stop: bool, ends a text at a newline, which is left out.

    Returns:
        list of `num_samples` str, each with the prefix.

    Raises:
        InputError: an argument out of its range, or a prefix with characters that the model does not know.

    Reference: top-k: https://arxiv.org/abs/1805.04833; top-p: https://arxiv.org/abs/1904.09751
    """
    check_sampling(num_samples, temperature, top_k, top_p, max_length, seed)
    start = np.concatenate([[0], _encode_prefix(prefix, vocabulary, stop)])
    if len(start) - 1 > max_length:
        raise InputError(
            f"The prefix has {len(start) - 1} characters, more than max_length={max_length}. Shorten it."
        )
    noise = gumbel_noise(seed, num_samples, len(vocabulary))
    reader.begin(num_samples)
    for token in start:
        logits = reader.read(np.full(num_samples, token, "int32"))
    texts, going = [[] for _ in range(num_samples)], np.ones(num_samples, bool)
    for _ in range(max_length - len(start) + 1):
        probabilities = next_probabilities(logits, temperature, top_k, top_p, vocabulary.unknown_token)
        tokens = draw(probabilities, next(noise))
        going &= ~((tokens == 0) & stop)
        if not going.any():
            break
        for row in np.flatnonzero(going):
            texts[row].append(tokens[row])
        logits = reader.read(tokens)
    return [prefix + vocabulary.decode(text) for text in texts]


def _encode_prefix(prefix, vocabulary, stop):
    unseen = sorted(set(prefix) - set(vocabulary.characters))
    if stop and "\n" in prefix:
        raise InputError("Expected a prefix within one line, received one with a newline.")
    if unseen and vocabulary.unknown == "error":
        raise InputError(
            f"The prefix {prefix!r} has characters that the model has not seen: {quoted(unseen)}. "
            f"It knows {quoted(vocabulary.characters[1:])}."
        )
    return vocabulary.encode(prefix)
