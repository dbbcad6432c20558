import numpy as np

from keras_vit.training.fine_tuning.probe import Features, nearest_neighbours_accuracy


def test_the_vote_is_weighted_by_similarity():
    # Two close neighbours of class 1 outvote eighteen of class 0 that point elsewhere.
    known = np.array([[1.0, 0.01], [1.0, -0.01], *[[0.0, 1.0]] * 18])
    train = Features((known,), np.array([1, 1, *[0] * 18]))
    test = Features((np.array([[5.0, 0.0], [0.0, 0.1]]),), np.array([1, 0]))
    assert nearest_neighbours_accuracy(train, test) == 1.0
    turned = Features(test.arrays, test.labels[::-1])
    assert nearest_neighbours_accuracy(train, turned) == 0.0
