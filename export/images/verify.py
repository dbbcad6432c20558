"""Compares the probabilities of a file with those of its model, for the same images."""

import numpy as np


def compare(reference: np.ndarray, candidate: np.ndarray, labels: np.ndarray) -> dict:
    """Compares probabilities `(n, num_classes)` of a file with its model's, on images of known classes.

    Returns the figures of a row in `export.json`: `top1_agreement` is the share of images with the same best
    class, `drop` the points of accuracy lost, negative when the file does better. A candidate with NaN agrees
    nowhere and differs by 1.
    """
    if reference.shape != candidate.shape or len(labels) != len(reference) or not len(labels):
        raise ValueError(f"Expected as many, received {reference.shape}, {candidate.shape}, {len(labels)}.")
    best, other = reference.argmax(axis=1), candidate.argmax(axis=1)
    finite = np.isfinite(candidate).all(axis=1)
    difference = np.abs(reference - candidate).max() if finite.all() else 1.0
    expected, accuracy = float(np.mean(best == labels)), float(np.mean((other == labels) & finite))
    return {
        "num_images": len(labels),
        "top1_agreement": float(np.mean((best == other) & finite)),
        "max_probability_difference": float(difference),
        "reference_accuracy": expected,
        "accuracy": accuracy,
        "drop": round(100 * (expected - accuracy), 9),  # or five images of a thousand would be more than 0.5
    }
