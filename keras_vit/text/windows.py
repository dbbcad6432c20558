"""Turns text into rows of tokens, each with the tokens that follow."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from keras_vit.text.vocabulary import BOUNDARY, Vocabulary


@dataclasses.dataclass(frozen=True, eq=False)
class Windows:
    """Rows of tokens: three arrays `(rows, window)`."""

    inputs: np.ndarray  # int32
    targets: np.ndarray  # int32, the inputs one place further
    mask: np.ndarray  # bool, False where a row is filled up

    def __len__(self):
        return len(self.inputs)

    def rows(self, indices):
        """Returns some of the rows."""
        return Windows(self.inputs[indices], self.targets[indices], self.mask[indices])

    @property
    def weights(self):
        """The mask, scaled to a mean of 1, which makes Keras's mean that of the places that count."""
        return self.mask.astype("float32") / np.float32(self.mask.mean())


def line_windows(items: list[str], vocabulary: Vocabulary, window: int) -> Windows:
    """Makes a row of each item: a newline, its characters, and as target of the last a newline."""
    tokens = np.zeros((len(items), window + 1), "int32")
    mask = np.zeros((len(items), window), bool)
    for row, item in enumerate(items):
        tokens[row, 1 : len(item) + 1] = vocabulary.encode(item)
        mask[row, : len(item) + 1] = True
    return Windows(tokens[:, :-1], tokens[:, 1:], mask)


def padded_tokens(items: Sequence[str], vocabulary: Vocabulary, length: int) -> np.ndarray:
    """Makes a row of each item, filled up with 0: int32 `(items, length)`."""
    tokens = np.zeros((len(items), length), "int32")
    for row, item in enumerate(items):
        tokens[row, : len(item)] = vocabulary.encode(item, f"The text {item!r}")
    return tokens


def running_windows(text: str, vocabulary: Vocabulary, window: int) -> Windows:
    """Cuts running text into rows; a newline precedes the first, the last is filled up."""
    tokens = vocabulary.encode(BOUNDARY + text)
    count = len(text)
    rows = -(-count // window)
    padded = np.zeros(rows * window + 1, "int32")
    padded[: count + 1] = tokens
    mask = np.arange(rows * window) < count
    return Windows(*(x.reshape(rows, window) for x in (padded[:-1], padded[1:], mask)))


def split_windows(data, split):
    """Returns the windows of a split of `TextData`, such as `data.test`."""
    if data.lines:
        return line_windows(split, data.vocabulary, data.window)
    return running_windows(split[0], data.vocabulary, data.window)
