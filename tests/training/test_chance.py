"""A result is put in its place."""

import numpy as np
import pytest

from keras_vit.training.chance import lines, placed


@pytest.mark.parametrize(("right", "count"), [(0, 5), (5, 5), (30, 100), (299, 300), (1, 2)])
def test_the_interval_is_wilsons(right, count):
    correct = np.arange(count) < right
    low, high = placed(correct, np.zeros(count, int), ("a", "b"))["accuracy_interval"]
    z, p = 1.959963984540054, right / count  # Wilson 1927, as in statsmodels' proportion_confint
    centre, spread = p + z**2 / (2 * count), z * np.sqrt(p * (1 - p) / count + z**2 / (4 * count**2))
    expected = (centre - spread) / (1 + z**2 / count), (centre + spread) / (1 + z**2 / count)
    assert (low, high) == pytest.approx(expected, abs=1e-12)
    assert 0 <= low <= p <= high <= 1


@pytest.mark.parametrize(("right", "is_hinted"), [(30, True), (45, True), (60, False)])
def test_a_result_that_may_be_chance_says_so_with_advice(right, is_hinted):
    labels = np.repeat([0, 1, 2], [40, 35, 25])
    found = {"num_images": 100, **placed(np.arange(100) < right, labels, ("cat", "dog", "elk"))}
    assert found["largest_class"] == {"label": "cat", "accuracy": 0.4}
    place, *hint = lines(found, "add images")
    assert place.endswith("(95 %, by 100 images); always cat: 0.4000")
    expected = ["hint: no better than always answering cat, as far as these images show: add images"]
    assert hint == (expected if is_hinted else [])


def test_metrics_of_earlier_versions_have_no_place():
    assert lines({"accuracy": 0.5, "num_images": 10}, "add images") == []
