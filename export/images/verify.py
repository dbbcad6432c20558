"""Compares the probabilities that a file and its model give for the same images."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Verification:
    """How an exported file differs from its model, on the same held-out images."""

    num_images: int
    top1_agreement: float  # share of images with the same best class
    max_probability_difference: float
    reference_accuracy: float
    accuracy: float

    @property
    def drop(self):
        """Points of accuracy lost; negative when the file does better."""
        points = 100 * (self.reference_accuracy - self.accuracy)
        return round(points, 9)  # or five images of a thousand would be more than 0.5


def compare(reference, candidate, labels):
    """Compares probabilities `(n, num_classes)` of a file with those of its model.

    Args:
        reference: array, of the model.
        candidate: array, of the file.
        labels: int array `(n,)`.

    Returns:
        Verification. A candidate with NaN agrees nowhere and differs by 1.

    Raises:
        ValueError: the arrays do not belong together.
    """
    if reference.shape != candidate.shape or len(labels) != len(reference) or not len(labels):
        raise ValueError(f"Expected as many, received {reference.shape}, {candidate.shape}, {len(labels)}.")
    best, other = reference.argmax(axis=1), candidate.argmax(axis=1)
    finite = np.isfinite(candidate).all(axis=1)
    difference = np.abs(reference - candidate).max() if finite.all() else 1.0
    return Verification(
        num_images=len(labels),
        top1_agreement=float(np.mean((best == other) & finite)),
        max_probability_difference=float(difference),
        reference_accuracy=float(np.mean(best == labels)),
        accuracy=float(np.mean((other == labels) & finite)),
    )
