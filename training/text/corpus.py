"""Text from a file or from the package, cut into a training, a validation and a test split.

One item a line: blank lines and the white space around a line are left out. Equal items are one group and
never stand on two sides; which groups are held out is decided by a hash of the seed and the item, by the
rule of `keras_vit.training.data.split`. Running text: the end of the text is the test split, what stands
before it the validation split, and the beginning the training split.
"""

import dataclasses
import hashlib
from importlib import resources
from pathlib import Path

import numpy as np

from keras_vit.errors import InputError
from keras_vit.io.files import read_text
from keras_vit.text.vocabulary import Vocabulary, build_vocabulary, quoted
from keras_vit.training.data.split import hold_out

RUNNING_WINDOW = 128  # characters, where a recipe names no window
LONGEST_LINE = 512  # characters, where a recipe names no window
FEWEST_ITEMS = 10


@dataclasses.dataclass(frozen=True, eq=False)
class TextData:
    """A corpus.

    Attributes:
        name: str, the source; of a path only its last part.
        vocabulary: Vocabulary, of the training split.
        window: int, tokens that a model reads at once.
        lines: bool, one item a line; or running text, of which each split is one item.
        train: tuple of str.
        validation: tuple of str, to choose by.
        test: tuple of str, held out to the end.
    """

    name: str
    vocabulary: Vocabulary
    window: int
    lines: bool
    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]


def load_text(
    spec,
    *,
    lines=True,
    lowercase=False,
    window=None,
    unknown="error",
    validation_fraction=0.1,
    test_fraction=0.1,
    seed=0,
):
    """Loads a corpus.

    Args:
        spec: str, `"names"` (1,536 names of dinosaurs, embedded) or `"text:PATH"`, a file in UTF-8.
        lines: bool, one item a line; False for running text.
        lowercase: bool, turns all letters into small ones.
        window: int or None, tokens that a model reads at once. None: what the longest line needs, for
            running text 128.
        unknown: str, what to do with characters that the training split does not hold: `"error"`, or
            `"unk"` for a token of their own.
        validation_fraction: float in (0, 1), of what is left after the test split.
        test_fraction: float in (0, 1).
        seed: int, chooses which lines are held out.

    Returns:
        TextData.

    Raises:
        InputError: an unknown spec, a file that is missing, empty or not UTF-8, too little text, lines
            that do not fit into the window, characters that only a held-out split has.

    Example:
        >>> data = load_text("names", lowercase=True)
        >>> len(data.train) + len(data.validation) + len(data.test), len(data.vocabulary)
        (1536, 27)
    """
    name, text = _read(spec)
    text = text.lower() if lowercase else text
    fractions = {"test": test_fraction, "validation": validation_fraction}
    parts = _split_lines(text, fractions, seed, name) if lines else _split_running(text, fractions)
    window = _line_window(parts, window, name) if lines else (window or RUNNING_WINDOW)
    if not lines:
        _check_length(parts, window, name)
    vocabulary = build_vocabulary(parts["train"], unknown)
    _check_seen(parts, vocabulary)
    return TextData(name=name, vocabulary=vocabulary, window=window, lines=lines, **parts)


def _read(spec):
    kind, _, path = spec.partition(":")
    if spec == "names":
        source = resources.files("keras_vit.training.text") / "names.txt"
    elif kind == "text" and path:
        source = Path(path)
    else:
        raise InputError(f"Unknown text {spec!r}. Expected names or text:PATH.")
    text = read_text(source)
    if not text.strip():
        raise InputError(f"{source} is empty: there is nothing to learn from.")
    name = spec if spec == "names" else f"text:{source.name}"
    return name, text


def _split_lines(text, fractions, seed, name):
    items = np.array([line.strip() for line in text.split("\n") if line.strip()], dtype=object)
    if len(set(items)) < FEWEST_ITEMS:
        raise InputError(
            f"Expected at least {FEWEST_ITEMS} different lines in {name}, received {len(set(items))}. "
            "For running text set lines=false."
        )
    parts, key = {}, str(seed).encode()
    for part, fraction in fractions.items():
        digests = (hashlib.blake2b(item.encode(), digest_size=8, key=key).digest() for item in items)
        hashes = np.frombuffer(b"".join(digests), dtype="<u8")
        held = hold_out(np.zeros(len(items), int), hashes, fraction)
        parts[part], items = tuple(items[held]), items[~held]
    return {**parts, "train": tuple(items)}


def _split_running(text, fractions):
    parts = {}
    for part, fraction in fractions.items():
        cut = len(text) - max(1, round(fraction * len(text)))
        parts[part], text = (text[cut:],), text[:cut]
    return {**parts, "train": (text,)}


def _line_window(parts, window, name):
    longest = max((item for items in parts.values() for item in items), key=len)
    if len(longest) + 1 <= (window or LONGEST_LINE + 1):
        return window or len(longest) + 1
    raise InputError(
        f"A line of {name} has {len(longest):,} characters ({longest[:20]!r} ...), more than fit into a "
        f"window of {window or LONGEST_LINE + 1:,} with its end. Set window={len(longest) + 1}, or "
        "lines=false for running text."
    )


def _check_length(parts, window, name):
    for part, (text,) in parts.items():
        if len(text) < window + (part == "train"):
            raise InputError(
                f"Expected more text than one window of {window:,} characters in each split, but the {part} "
                f"split of {name} has {len(text):,}. Lower window, or give more text."
            )


def _check_seen(parts, vocabulary):
    if vocabulary.unknown == "unk":
        return
    for part in ("validation", "test"):
        unseen = sorted(set("".join(parts[part])) - set(vocabulary.characters))
        if unseen:
            raise InputError(
                f"The {part} split holds characters that the training split does not: {quoted(unseen)}. "
                "Set unknown=unk to give such characters a token."
            )
