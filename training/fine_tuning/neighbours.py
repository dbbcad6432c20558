"""Nearest neighbours among the training images as a classifier: measures features without training."""

import numpy as np
from sklearn.neighbors import KNeighborsClassifier

from keras_vit.training.fine_tuning.probe import Features

NEIGHBOURS = 20
TEMPERATURE = 0.07


def nearest_neighbours_accuracy(train: Features, test: Features) -> float:
    """Returns the accuracy of a vote of the most similar training images, weighted by their similarity.

    Reference: Wu et al. 2018, section 3.4, https://arxiv.org/abs/1805.01978, with the constants of
        Caron et al. 2021, https://arxiv.org/abs/2104.14294
    """
    classifier = KNeighborsClassifier(
        min(NEIGHBOURS, len(train)),
        weights=lambda distances: np.exp((1 - distances) / TEMPERATURE),
        metric="cosine",
    )
    return float(classifier.fit(_vectors(train), train.labels).score(_vectors(test), test.labels))


def _vectors(features):
    return np.concatenate(features.arrays, axis=1).astype("float32")
