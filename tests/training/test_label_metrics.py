import time

import numpy as np
from sklearn.metrics import average_precision_score

from keras_vit.training.label_metrics import average_precisions, label_metrics


def test_average_precision_is_that_of_sklearn_also_with_equal_scores_and_repeated_images():
    generator = np.random.default_rng(0)
    labels, scores = generator.random((60, 5)) < 0.3, generator.integers(0, 9, (60, 5)) / 8
    labels[:, 4] = False
    rows = generator.integers(0, 60, 60)
    times = np.array([np.ones(60, int), np.bincount(rows, minlength=60)])
    for found, chosen in zip(average_precisions(labels, scores, times), (np.arange(60), rows), strict=True):
        assert np.isnan(found[4])
        for i in range(4):
            expected = average_precision_score(labels[chosen, i], scores[chosen, i])
            np.testing.assert_allclose(found[i], expected, rtol=1e-12)


def test_thousands_of_labels_are_measured_in_seconds():
    generator = np.random.default_rng(0)
    scores = generator.random((50, 2000))
    start = time.process_time()
    label_metrics(scores, scores > 0.5, [str(i) for i in range(2000)], None)
    assert time.process_time() - start < 10
