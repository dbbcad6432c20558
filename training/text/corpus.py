"""Text from a file or from the package, cut into a training, a validation and a test split.

One item a line: blank lines and the white space around a line are left out. Equal items are in the same
split; a hash of the seed and the item decides which are held out, by the rule of
`keras_vit.training.data.split`. Running text: the end of the text is the test split, the part before it the
validation split, and the start the training split.
"""

import dataclasses
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Annotated

import numpy as np

from keras_vit.constraints import Choices, Range, checked
from keras_vit.errors import InputError, counted, warn
from keras_vit.io.files import read_text
from keras_vit.text.vocabulary import Vocabulary, build_vocabulary, quoted
from keras_vit.training.data.split import Fraction, hold_out

RUNNING_WINDOW = 128  # characters, where a recipe names no window
LONGEST_LINE = 512  # characters, where a recipe names no window
FEWEST_ITEMS = 10
_ROWS_OF_A_TABLE = 0.9  # of the lines


@dataclasses.dataclass(frozen=True, eq=False)
class TextData:
    """A corpus.

    Attributes:
        name: str, the source; of a path only its last part.
        vocabulary: Vocabulary, of the training split.
        window: int, tokens that a model reads at once.
        lines: bool, one item a line; False: running text, each split is one item.
        train: tuple of str.
        validation: tuple of str, to choose models by.
        test: tuple of str, held out until the final evaluation.
    """

    name: str
    vocabulary: Vocabulary
    window: int
    lines: bool
    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]

    def summary(self) -> list[str]:
        """Returns a line on each split."""
        splits = {"train": self.train, "validation": self.validation, "test": self.test}
        what = "lines" if self.lines else "text"
        return [
            f"{name:<10}  {len(items):,} {what}, {counted(sum(map(len, items)), 'character')}"
            for name, items in splits.items()
        ]


def is_text(spec: str) -> bool:
    """Returns whether `load_text` supports a spec."""
    return spec == "names" or spec.startswith("text:")


@checked
def load_text(
    spec: str,
    *,
    lines: bool = True,
    lowercase: bool = False,
    window: Annotated[int, Range(2, 2**16)] | None = None,
    unknown: Annotated[str, Choices("error", "unk")] = "error",
    validation_fraction: Fraction = 0.1,
    test_fraction: Fraction = 0.1,
    seed: int = 0,
) -> TextData:
    """Loads a corpus, with the options of `keras_vit.training.load_data` for text."""
    name, text = _read(spec)
    text = text.lower() if lowercase else text
    fractions = {"test": test_fraction, "validation": validation_fraction}
    parts = _split_lines(text, fractions, seed, name) if lines else _split_running(text, fractions)
    window = _line_window(parts, window, name) if lines else (window or RUNNING_WINDOW)
    if not lines:
        _check_length(parts, window, name)
    vocabulary = build_vocabulary(parts["train"], unknown)
    check_seen(parts, vocabulary)
    return TextData(name=name, vocabulary=vocabulary, window=window, lines=lines, **parts)


def _read(spec):
    kind, _, path = spec.partition(":")
    if spec == "names":
        source = resources.files("keras_vit.training.text") / "names.txt"
    elif kind == "text" and path:
        source = Path(path)
    else:
        raise InputError(f"Unknown text {spec!r}. Expected names or text:PATH.{_other(spec)}")
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
    _warn_table(items, name)
    return {part: tuple(items[rows]) for part, rows in split_rows(items, fractions, seed).items()}


def _warn_table(items, name):
    """Warns of lines that seem to be the rows of a table, each of which is learned as it is."""
    for mark, word in ((",", "commas"), ("\t", "tabs"), (";", "semicolons")):
        (count, alike), *_ = Counter(item.count(mark) for item in items).most_common(1)
        if count and alike >= _ROWS_OF_A_TABLE * len(items):
            warn(
                f"{name} looks like a table: {alike:,} of {counted(len(items), 'line')} have as many {word} "
                f"({count}). Each line is learned whole, the first one too. Keep the column of the texts "
                "alone; texts that are written from others are data=pairs:FILE (seq2seq_dates)."
            )


def split_rows(keys: Sequence[str], fractions: Mapping[str, float], seed: int) -> dict[str, np.ndarray]:
    """Returns the rows of each split by a hash of the seed and a key of each row; equal keys stay together.

    `fractions` is of what is left, in their order; the rest is `"train"`.
    """
    key, parts, rows = str(seed).encode(), {}, np.arange(len(keys))
    digests = (hashlib.blake2b(text.encode(), digest_size=8, key=key).digest() for text in keys)
    hashes = np.frombuffer(b"".join(digests), dtype="<u8")
    for part, fraction in fractions.items():
        held = hold_out(np.zeros(len(rows), int), hashes[rows], fraction)
        parts[part], rows = rows[held], rows[~held]
    return {**parts, "train": rows}


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
        f"A line of {name} has {counted(len(longest), 'character')} ({longest[:20]!r} ...), more than fit "
        f"into a window of {window or LONGEST_LINE + 1:,} with its end. Set window={len(longest) + 1}, or "
        "lines=false for running text."
    )


def _check_length(parts, window, name):
    for part, (text,) in parts.items():
        if len(text) < window + (part == "train"):
            raise InputError(
                f"Expected more text than one window of {counted(window, 'character')} in each split, but "
                f"the {part} split of {name} has {len(text):,}. Lower window, or give more text."
            )


def check_seen(parts: Mapping[str, Iterable[str]], vocabulary: Vocabulary):
    """Raises InputError for characters of the texts of a split that the vocabulary has no token for."""
    if vocabulary.unknown == "unk":
        return
    for part in ("validation", "test"):
        unseen = sorted(set("".join(parts[part])) - set(vocabulary.characters))
        if unseen:
            raise InputError(
                f"The {part} split contains characters that the training split does not: {quoted(unseen)}. "
                "Set unknown=unk to give such characters a token."
            )


def _other(spec):
    return " Pairs of texts are for the recipe seq2seq_dates." if spec.startswith("pairs:") else ""
