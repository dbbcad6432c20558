"""Pictures of what a text model has learned."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from sklearn.metrics import confusion_matrix

from keras_vit.text.vocabulary import Vocabulary
from keras_vit.training.report.names import has_undrawable
from keras_vit.training.report.style import BLUE, ORANGE, SKY, figure


def positions_picture(rows: list[dict[str, float]]) -> Figure:
    """Draws the cross-entropy at each position of a line, and the bigram model's, from `per_position`."""
    canvas = figure(height=5)
    loss, count = canvas.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    positions = [row["position"] for row in rows]
    loss.plot(
        positions, [row["bigram"] for row in rows], color=ORANGE, linestyle="--", marker="s", label="bigram"
    )
    loss.plot(positions, [row["cross_entropy"] for row in rows], color=BLUE, marker="o", label="model")
    loss.set_ylabel("Nats per character")
    loss.set_ylim(bottom=0)
    loss.legend()
    count.bar(positions, [row["count"] for row in rows], color=SKY)
    count.set_ylabel("Characters")
    count.set_xlabel("Position in the line; the end counts as one")
    count.set_xlim(0.5, len(positions) + 0.5)
    count.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    for axes in (loss, count):
        axes.grid(axis="y", color="0.9")
    canvas.align_ylabels()
    return canvas


def bigram_picture(
    samples: list[str], known: Sequence[str], vocabulary: Vocabulary, limit: int = 40
) -> Figure:
    """Draws how often one character follows another, in a model's samples and in the training text `known`.

    Shows the `limit` most frequent characters.
    """
    frequent = np.argsort(-np.bincount(_tokens(known, vocabulary), minlength=len(vocabulary)), kind="stable")
    shown = np.sort(frequent[:limit])
    names = [_label(vocabulary.symbols[token]) for token in shown]
    canvas = figure(height=9.5)
    for axes, texts, title in zip(
        canvas.subplots(2, 1, sharex=True), (known, samples), ("Training text", "Samples"), strict=True
    ):
        tokens = _tokens(texts, vocabulary)
        followed = {"labels": range(len(vocabulary)), "normalize": "true"}  # shares of what follows
        shares = confusion_matrix(tokens[:-1], tokens[1:], **followed)
        axes.imshow(shares[np.ix_(shown, shown)], cmap="Blues", vmin=0, vmax=1)
        axes.set_title(title)
        axes.set_ylabel("Character")
        axes.set_xticks(range(len(names)), names, fontsize=7, rotation=90 * (max(map(len, names)) > 2))
        axes.set_yticks(range(len(names)), names, fontsize=7)
    axes.set_xlabel("Next character")
    return canvas


def attention_picture(shares: np.ndarray, source: str, target: str) -> Figure:
    """Draws where a model looks in the source for each character of the target.

    `shares` are `(len(target) + 1, len(source))`; the last row is for the end of the target.
    """
    rows, columns = [*map(_label, target), "end"], [*map(_label, source)]
    canvas = figure(height=min(1.2 + 0.2 * len(rows), 9.5))
    axes = canvas.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(len(columns)), columns, fontsize=8)
    axes.set_yticks(range(len(rows)), rows, fontsize=8)
    axes.set_xlabel("Source")
    axes.set_ylabel("Written")
    return canvas


def _label(symbol):
    """Returns a visible label for a symbol: a mark for a space, a code point for what the font lacks."""
    if symbol == " ":
        return "\N{OPEN BOX}"
    return f"{ord(symbol):04X}" if has_undrawable([symbol]) else symbol


def _tokens(texts, vocabulary):
    return vocabulary.encode("\n" + "\n".join(texts) + "\n")
