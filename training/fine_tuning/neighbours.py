"""Nearest neighbours among the training images as a classifier: measures features without training."""

import numpy as np

NEIGHBOURS = 20
TEMPERATURE = 0.07
_CHUNK = 1024  # images classified at a time


def nearest_neighbours_accuracy(train, test, num_classes):
    """Classifies by a vote of the most similar training images, weighted by their similarity.

    Args:
        train, test: keras_vit.training.fine_tuning.probe.Features.
        num_classes: int.

    Returns:
        float, the accuracy on `test`.

    Reference: Wu et al. 2018, section 3.4, https://arxiv.org/abs/1805.01978, with the constants of
        Caron et al. 2021, https://arxiv.org/abs/2104.14294
    """
    known, asked = _unit_vectors(train), _unit_vectors(test)
    num_neighbours = min(NEIGHBOURS, len(known))
    correct = 0
    for first in range(0, len(asked), _CHUNK):
        rows = slice(first, first + _CHUNK)
        similarity = asked[rows] @ known.T
        nearest = np.argsort(-similarity, axis=1, kind="stable")[:, :num_neighbours]
        weights = np.exp(np.take_along_axis(similarity, nearest, axis=1) / TEMPERATURE)
        votes = np.zeros((len(similarity), num_classes))
        np.add.at(votes, (np.arange(len(similarity))[:, None], train.labels[nearest]), weights)
        correct += int((votes.argmax(axis=1) == test.labels[rows]).sum())
    return correct / len(asked)


def _unit_vectors(features):
    vectors = np.concatenate(features.arrays, axis=1).astype("float32")
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
