import time

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from keras_vit.training import ImageRecipe
from keras_vit.training.label_metrics import average_precisions, label_metrics
from keras_vit.training.targets import SeveralLabels


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


@pytest.mark.parametrize(
    ("score", "words"), [(1.0, "8 images do not say how much"), (0.6, "on more such images: 0.")]
)
def test_an_interval_is_told_where_images_drawn_again_differ(score, words):
    labels = np.eye(2)[np.arange(8) % 2]
    scores = np.where(labels > 0, score, 0.5 - score / 4)
    scores[0] = scores[0, ::-1] if score < 1 else scores[0]
    metrics = label_metrics(scores, labels, ("a", "b"), None) | {"num_images": 8}
    (line,) = SeveralLabels(ImageRecipe(label_kind="several")).place(metrics, "")
    assert words in line


def test_thousands_of_labels_are_measured_in_seconds():
    generator = np.random.default_rng(0)
    scores = generator.random((50, 2000))
    start = time.process_time()
    label_metrics(scores, scores > 0.5, [str(i) for i in range(2000)], None)
    assert time.process_time() - start < 10
