"""New text from a model of characters."""

import numpy as np

from keras_vit.errors import InputError
from training.text.readers import reader_of
from training.text.vocabulary import listed

MAX_LENGTH = 200  # characters, where nobody asks for another length


def generate(
    model,
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

    Args:
        model: `char_rnn` or `char_transformer`.
        vocabulary: Vocabulary of the model.
        num_samples: int, how many texts.
        temperature: float above 0, by which logits are divided. Below 1 likely characters become likelier.
        top_k: int of at least 1, or None; only that many of the likeliest characters may follow.
        top_p: float in (0, 1], or None; only the likeliest characters that together reach this
            probability may follow. Applied after `top_k`.
        prefix: str, what every text begins with.
        seed: int; the same seed gives the same texts.
        max_length: int, characters of a text with its prefix.
        stop: bool, ends a text at a newline, which is left out.

    Returns:
        list of `num_samples` str, each with the prefix.

    Raises:
        InputError: an argument out of its range, a prefix with characters that the model does not know,
            a bidirectional model.

    Reference: top-k: https://arxiv.org/abs/1805.04833; top-p: https://arxiv.org/abs/1904.09751
    """
    check_sampling(num_samples, temperature, top_k, top_p, max_length)
    start = np.concatenate([[0], _encode_prefix(prefix, vocabulary, stop)])
    if len(start) - 1 > max_length:
        raise InputError(
            f"The prefix has {len(start) - 1} characters, more than max_length={max_length}. Shorten it."
        )
    reader, random = reader_of(model), np.random.default_rng(seed)
    reader.begin(num_samples)
    for token in start:
        logits = reader.read(np.full(num_samples, token, "int32"))
    texts, going = [[] for _ in range(num_samples)], np.ones(num_samples, bool)
    for _ in range(max_length - len(start) + 1):
        probabilities = next_probabilities(logits, temperature, top_k, top_p, vocabulary.unknown_token)
        tokens = draw(probabilities, random)
        going &= ~((tokens == 0) & stop)
        if not going.any():
            break
        for row in np.flatnonzero(going):
            texts[row].append(tokens[row])
        logits = reader.read(tokens)
    return [prefix + vocabulary.decode(text) for text in texts]


def check_sampling(num_samples=1, temperature=1.0, top_k=None, top_p=None, max_length=1):
    """Raises InputError for an argument of `generate` that is out of its range."""
    rules = (
        ("num", "at least 1", num_samples, num_samples >= 1),
        ("temperature", "above 0", temperature, 0 < temperature < float("inf")),
        ("top_k", "at least 1", top_k, top_k is None or top_k >= 1),
        ("top_p", "above 0 and at most 1", top_p, top_p is None or 0 < top_p <= 1),
        ("max_length", "at least 1", max_length, max_length >= 1),
    )
    for name, expected, value, fits in rules:
        if not fits:
            raise InputError(f"Expected {name} to be {expected}, received {value}.")


def next_probabilities(logits, temperature=1.0, top_k=None, top_p=None, excluded=None):
    """Returns the probabilities to draw from, `(batch, vocabulary_size)` float64.

    Args:
        logits: `(batch, vocabulary_size)`.
        temperature, top_k, top_p: as in `generate`.
        excluded: int or None, a token that must not follow.
    """
    logits = np.array(logits, "float64")
    if excluded is not None:
        logits[:, excluded] = -np.inf
    probabilities = _softmax(logits / temperature)
    if top_k is not None:
        probabilities = _keep(probabilities, lambda ordered: np.arange(ordered.shape[1]) < top_k)
    if top_p is not None:
        # The character that crosses the threshold is kept: what stands before it falls short of it.
        probabilities = _keep(probabilities, lambda ordered: ordered.cumsum(axis=1) - ordered < top_p)
    return probabilities


def draw(probabilities, random):
    """Draws a token for each row of probabilities, with one random number a row."""
    bounds = probabilities.cumsum(axis=1)
    return (random.random((len(bounds), 1)) * bounds[:, -1:] >= bounds).sum(axis=1).astype("int32")


def _keep(probabilities, kept_places):
    order = np.argsort(-probabilities, axis=1, kind="stable")
    ordered = np.take_along_axis(probabilities, order, axis=1)
    ordered = np.where(kept_places(ordered), ordered, 0.0)
    kept = np.zeros_like(probabilities)
    np.put_along_axis(kept, order, ordered, axis=1)
    return kept / kept.sum(axis=1, keepdims=True)


def _softmax(logits):
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def _encode_prefix(prefix, vocabulary, stop):
    unseen = sorted(set(prefix) - set(vocabulary.characters))
    if stop and "\n" in prefix:
        raise InputError("Expected a prefix within one line, received one with a newline.")
    if unseen and vocabulary.unknown == "error":
        raise InputError(
            f"The prefix {prefix!r} has characters that the model has not seen: {listed(unseen)}. "
            f"It knows {listed(vocabulary.characters[1:])}."
        )
    return vocabulary.encode(prefix)
