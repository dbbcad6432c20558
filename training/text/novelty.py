"""Whether generated texts are new."""

from collections.abc import Iterable, Sequence

from keras_vit.errors import InputError


def novelty(samples: Sequence[str], known: Iterable[str]) -> dict[str, float]:
    """Compares generated texts with the list `known`, which a model was trained on.

    `novel_share` is the share of the samples that are not in the list, `duplicate_share` the share that
    repeats an earlier sample, `new` the number of different samples that are not in the list.

    >>> novelty(["rex", "rex", "sauria", "maia"], ["maia"])
    {'num_samples': 4, 'novel_share': 0.75, 'duplicate_share': 0.25, 'new': 2}
    """
    if not samples:
        raise InputError("Expected at least one sample, received none.")
    known, different = set(known), set(samples)
    return {
        "num_samples": len(samples),
        "novel_share": sum(sample not in known for sample in samples) / len(samples),
        "duplicate_share": 1 - len(different) / len(samples),
        "new": len(different - known),
    }
