"""Compares a file of a character model with the model, on held-out text."""

import dataclasses
from itertools import islice

import numpy as np

from keras_vit.errors import ConditionError
from keras_vit.text import generate
from keras_vit.text.likelihood import cross_entropy, read_windows
from keras_vit.text.sampling import gumbel_noise

STEPPED = 5000  # characters that are also read one at a time
SEED, TEMPERATURE, TOP_K = 0, 0.8, 10  # of the text that is drawn in and outside of the graph


@dataclasses.dataclass(frozen=True)
class TextVerification:
    """How a file reads the held-out text, compared with the model. Cross-entropies in nats per character."""

    num_characters: int
    reference_cross_entropy: float
    cross_entropy: float  # of `score`
    step_difference: float  # largest, of a logit of `step` from that of `score`, to the largest logit
    max_logit_difference: float  # from the model, to its largest logit
    top1_agreement: float  # share of characters after which the same one is the likeliest

    @property
    def drop(self):
        """Nats per character lost; negative when the file does better."""
        return self.cross_entropy - self.reference_cross_entropy


def verify(reader, windows, reference):
    """Reads the windows with `score`, and some of them also with `step`.

    Args:
        reader: as `keras_vit.export.text.readers` gives it.
        windows: `keras_vit.text.windows.Windows` of held-out text.
        reference: the model's logits `(rows, window, vocabulary_size)`.

    Returns:
        TextVerification.
    """
    logits, targets = reader.score(windows.inputs)[windows.mask], windows.targets[windows.mask]
    expected = reference[windows.mask]
    largest = np.abs(expected).max()
    return TextVerification(
        num_characters=len(targets),
        reference_cross_entropy=cross_entropy(expected, targets),
        cross_entropy=cross_entropy(logits, targets),
        step_difference=float(_step_difference(reader, windows) / largest),
        max_logit_difference=float(np.abs(logits - expected).max() / largest),
        top1_agreement=float(np.mean(logits.argmax(axis=1) == expected.argmax(axis=1))),
    )


def check_generation(reader, count):
    """Draws the same text by `generate` inside the graph and by `step` outside.

    Raises:
        ConditionError: the texts differ.
    """
    description = reader.description
    size = len(description.vocabulary)
    noise = np.stack(list(islice(gumbel_noise(SEED, 1, size), count)), axis=1)
    start, temperature = np.zeros(1, "int32"), np.array([TEMPERATURE], "float32")
    tokens = reader.write(start, noise, temperature, np.array([TOP_K], "int32"))[0]
    inside = description.vocabulary.decode(tokens)
    options = {"temperature": TEMPERATURE, "top_k": TOP_K, "seed": SEED, "max_length": count, "stop": False}
    (outside,) = generate(reader, description.vocabulary, 1, **options)
    if inside != outside:
        raise ConditionError(f"writes {inside!r} inside the graph and {outside!r} character by character")


def _step_difference(reader, windows):
    count = max(1, STEPPED // windows.inputs.shape[1])
    some = windows.rows(np.unique(np.linspace(0, len(windows) - 1, count).astype(int)))
    return np.abs(read_windows(reader, some) - reader.score(some.inputs)).max()
