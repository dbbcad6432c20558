"""Pairs of texts, a source and what a model is to write for it, in three splits.

Those of a file are split by a hash of the seed and the source, so that no source is in two splits. Those that
a program makes are split by the target: a day, or a number, of the test split is never seen in training, in
whatever form. The rule is that of `keras_vit.training.data.split`.
"""

import collections
import dataclasses
from pathlib import Path
from typing import Annotated

from keras_vit.constraints import Choices, Range, checked
from keras_vit.errors import InputError, counted, listed, warn
from keras_vit.text.vocabulary import BOUNDARY, Vocabulary, build_vocabulary
from keras_vit.training.data.split import Fraction
from keras_vit.training.data.tables import read_table
from keras_vit.training.text.corpus import FEWEST_ITEMS, LONGEST_LINE, check_seen, split_rows
from keras_vit.training.text.made_pairs import MAKERS, made_pairs

NUM_PAIRS = 10_000  # that a program makes, where a recipe does not say
COLUMNS = ("source", "target")
Pair = tuple[str, str]  # source, target
Longest = Annotated[int, Range(1, 2**16)] | None  # characters; None: as the data need, up to LONGEST_LINE
NumPairs = Annotated[int, Range(FEWEST_ITEMS, 1_000_000)]


@dataclasses.dataclass(frozen=True, eq=False)
class PairData:
    """Pairs of texts.

    Attributes:
        name: str, where they come from; of a path only its last part.
        vocabulary: Vocabulary, of sources and targets of the training split together.
        max_source: int, characters of a source at most.
        max_target: int, characters of a target at most.
        found: tuple of str, lines on how the pairs were read and split.
        train: tuple of pairs of str.
        validation: tuple of pairs of str, to choose models by.
        test: tuple of pairs of str, held out until the final evaluation.
    """

    name: str
    vocabulary: Vocabulary
    max_source: int
    max_target: int
    found: tuple[str, ...]
    train: tuple[Pair, ...]
    validation: tuple[Pair, ...]
    test: tuple[Pair, ...]

    def summary(self) -> list[str]:
        """Returns lines on how the pairs were read, and one on each split."""
        splits = {"train": self.train, "validation": self.validation, "test": self.test}
        shown = [f"{name:<10}  {counted(len(pairs), 'pair')}" for name, pairs in splits.items()]
        source, target = self.train[0]
        return (
            [f"{'found':<10}  {line}" for line in self.found]
            + [f"{shown[0]}, {source!r} -> {target!r}"]
            + shown[1:]
        )


def is_pairs(spec: str) -> bool:
    """Returns whether `load_pairs` supports a spec."""
    return spec in MAKERS or spec.startswith("pairs:")


@checked
def load_pairs(
    spec: str,
    *,
    num_pairs: NumPairs = NUM_PAIRS,
    lowercase: bool = False,
    max_source: Longest = None,
    max_target: Longest = None,
    unknown: Annotated[str, Choices("error", "unk")] = "error",
    validation_fraction: Fraction = 0.1,
    test_fraction: Fraction = 0.1,
    seed: int = 0,
) -> PairData:
    """Loads pairs of texts, with the options of `keras_vit.training.load_data` for pairs."""
    if spec in MAKERS:
        name, pairs, by = spec, made_pairs(spec, num_pairs, seed), "target"
        found = [f"{counted(num_pairs, 'pair')} made with seed {seed}"]
    else:
        name, pairs, found = _read(spec)
        by = "source"
    if lowercase:
        pairs = [(source.lower(), target.lower()) for source, target in pairs]
    _check_unambiguous(pairs, name)
    found.append(f"split by the {by}: no {by} is in two splits")
    keys = [pair[COLUMNS.index(by)] for pair in pairs]
    if len(set(keys)) < FEWEST_ITEMS:
        raise InputError(
            f"Expected at least {FEWEST_ITEMS} different {by}s in {name}, received {len(set(keys))}. "
            "Give more pairs."
        )
    longest = {
        f"max_{part}": _longest(pairs, part, most, name)
        for part, most in zip(COLUMNS, (max_source, max_target), strict=True)
    }
    fractions = {"test": test_fraction, "validation": validation_fraction}
    parts = {
        part: tuple(pairs[row] for row in rows) for part, rows in split_rows(keys, fractions, seed).items()
    }
    vocabulary = build_vocabulary((text for pair in parts["train"] for text in pair), unknown)
    check_seen({part: (text for pair in held for text in pair) for part, held in parts.items()}, vocabulary)
    return PairData(
        name=name,
        vocabulary=vocabulary,
        found=tuple(found),
        **longest,
        **parts,
    )


def _read(spec):
    kind, _, given = spec.partition(":")
    if kind != "pairs" or not given:
        other = " One text is for recipes such as char_names_gru." if spec.startswith("text:") else ""
        raise InputError(
            f"Unknown pairs {spec!r}. Expected {', '.join(MAKERS)} or pairs:FILE.csv or .tsv.{other}"
        )
    path = Path(given).expanduser()
    columns = read_table(path, "pair")
    if len(columns) < 2:
        raise InputError(
            f"Expected two columns, source and target, in {path}, received {listed(columns)}. Separate them "
            "by commas, in a .tsv file by tabs."
        )
    named = {name.casefold(): name for name in columns}
    chosen = [named[name] for name in COLUMNS] if set(COLUMNS) <= named.keys() else list(columns)[:2]
    source, target = (_texts(columns[name], name, path) for name in chosen)
    found = [f"column {chosen[0]!r} as source, {chosen[1]!r} as target; the first line names the columns"]
    return f"pairs:{path.name}", list(zip(source, target, strict=True)), found


def _texts(values, column, path):
    texts = ["" if value is None else str(value).strip() for value in values]
    for row, text in enumerate(texts, start=1):
        if not text or BOUNDARY in text:
            received = "a text of several lines" if text else "none"
            raise InputError(
                f"Expected a text of one line in each row of {path}, received {received} in column "
                f"{column!r} of row {row:,}. Complete or remove the row."
            )
    return texts


def _check_unambiguous(pairs, name):
    """Warns of sources with several targets: a model can write only one of them."""
    targets = collections.defaultdict(set)
    for source, target in pairs:
        targets[source].add(target)
    several = [source for source, found in targets.items() if len(found) > 1]
    if several:
        warn(
            f"{counted(len(several), 'source')} of {name} with several targets, such as "
            f"{listed(map(repr, several), 3)}: a model can answer one of them alone."
        )


def _longest(pairs, part, most, name):
    """The characters of the longest source or target, or the most that were asked for."""
    longest = max((pair[COLUMNS.index(part)] for pair in pairs), key=len)
    if len(longest) <= (most or LONGEST_LINE):
        return most or len(longest)
    raise InputError(
        f"A {part} of {name} has {counted(len(longest), 'character')} ({longest[:20]!r} ...), more than "
        f"{most or LONGEST_LINE:,}. Set max_{part}={len(longest)}, or shorten it."
    )
