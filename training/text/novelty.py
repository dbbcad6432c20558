"""Whether generated texts are new."""

from keras_vit.errors import InputError


def novelty(samples, known):
    """Compares generated texts with those that a model was trained on.

    Args:
        samples: sequence of str, at least one.
        known: iterable of str, the training list.

    Returns:
        dict: `num_samples`; `novel_share`, the share of the samples that are not in the training list;
        `duplicate_share`, the share that repeats an earlier sample; `new`, how many different samples are
        not in the list.

    Example:
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
