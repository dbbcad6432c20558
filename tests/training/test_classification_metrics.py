import json

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from keras_vit.errors import InputError
from keras_vit.training.classification_metrics import (
    calibration_bins,
    calibration_errors,
    classification_metrics,
    expected_calibration_error,
)

# Four images, classes a and b: predicted a a b b, true a b b b.
PROBABILITIES = np.array([[0.9, 0.1], [0.7, 0.3], [0.2, 0.8], [0.4, 0.6]])
LABELS = np.array([0, 1, 1, 1], "int32")


def random_case(num_images=300, num_classes=12, seed=0):
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.full(num_classes, 0.3), num_images).astype("float32")
    return probabilities, rng.integers(0, num_classes, num_images), [f"c{i}" for i in range(num_classes)]


def test_figures_computed_by_hand():
    result = classification_metrics(PROBABILITIES, LABELS, ("a", "b"))
    assert result["accuracy"] == 0.75
    assert result["cross_entropy"] == pytest.approx(-np.log([0.9, 0.3, 0.8, 0.6]).mean())
    assert result["confusion_matrix"] == [[1, 0], [1, 2]]  # rows are the true classes
    a, b = result["per_class"]
    assert a == {"label": "a", "precision": 0.5, "recall": 1.0, "f1": pytest.approx(2 / 3), "support": 1}
    assert b == {"label": "b", "precision": 1.0, "recall": pytest.approx(2 / 3), "f1": 0.8, "support": 3}
    assert result["macro"]["precision"] == 0.75
    # Each prediction falls into a separate bin: gaps 0.1, 0.7, 0.2, 0.4.
    assert result["expected_calibration_error"] == pytest.approx((0.1 + 0.7 + 0.2 + 0.4) / 4)
    assert "top5_accuracy" not in result


def test_figures_agree_with_scikit_learn():
    probabilities, labels, names = random_case()
    result = classification_metrics(probabilities, labels, names)
    predicted = probabilities.argmax(axis=1)
    report = sklearn_metrics.classification_report(labels, predicted, target_names=names, output_dict=True)
    assert result["accuracy"] == sklearn_metrics.accuracy_score(labels, predicted)
    assert result["macro"]["f1"] == pytest.approx(report["macro avg"]["f1-score"])
    assert [c["recall"] for c in result["per_class"]] == pytest.approx([report[n]["recall"] for n in names])
    assert result["top5_accuracy"] == pytest.approx(
        sklearn_metrics.top_k_accuracy_score(labels, probabilities, k=5)
    )
    exact = probabilities.astype("float64")
    exact = np.maximum(exact / exact.sum(axis=1, keepdims=True), np.finfo("float32").tiny)
    assert result["cross_entropy"] == pytest.approx(sklearn_metrics.log_loss(labels, exact), abs=1e-5)


def test_the_calibration_error_agrees_with_a_loop_over_the_bins():
    probabilities, labels, names = random_case()
    confidences = probabilities.max(axis=1).astype("float64")
    correct = probabilities.argmax(axis=1) == labels
    expected = 0.0
    for index in range(15):
        inside = [i for i, c in enumerate(confidences) if index / 15 < c <= (index + 1) / 15]
        if inside:
            gap = abs(correct[inside].mean() - confidences[inside].mean())
            expected += len(inside) / len(labels) * gap
    assert classification_metrics(probabilities, labels, names)[
        "expected_calibration_error"
    ] == pytest.approx(expected)


@pytest.mark.parametrize("count", [40, 240, 10_000])
def test_a_perfectly_calibrated_model_exceeds_the_error_by_chance_once_in_twenty(count):
    generator, above = np.random.default_rng(1), []
    for _ in range(400):
        sure = generator.beta(4, 1.5, count)
        bins = calibration_bins(sure, generator.random(count) < sure)
        found = calibration_errors(bins)
        above.append(found["expected_calibration_error"] > found["calibration_error_by_chance"])
    assert 0.02 < np.mean(above) < 0.08  # of 400 draws three standard deviations are 0.033


def test_an_error_beyond_chance_is_one_of_the_model():
    generator = np.random.default_rng(2)
    sure = generator.uniform(0.5, 1, 1000)
    bins = calibration_bins(sure, generator.random(1000) < sure - 0.15)
    found = calibration_errors(bins)
    assert found["calibration_error_by_chance"] < 0.08 < found["expected_calibration_error"]
    assert calibration_errors(calibration_bins(np.ones(3), np.ones(3, bool))) == {
        "expected_calibration_error": 0.0,
        "calibration_error_by_chance": 0.0,
    }


def test_a_bin_holds_its_upper_edge_and_an_empty_bin_has_no_means():
    bins = calibration_bins(np.array([1 / 3, 1.0]), np.array([True, False]))
    assert [b["count"] for b in bins] == [0] * 4 + [1] + [0] * 9 + [1]
    assert bins[0]["confidence"] is None and bins[0]["accuracy"] is None
    assert expected_calibration_error(bins) == pytest.approx((2 / 3 + 1) / 2)


def test_a_class_without_images_or_predictions_counts_as_zero_and_not_in_the_macro_average():
    result = classification_metrics(
        np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0]]), np.array([0, 1]), ("a", "b", "never")
    )
    assert result["per_class"][2] == {
        "label": "never",
        "precision": 0.0,
        "recall": 0.0,
        "f1": 0.0,
        "support": 0,
    }
    assert result["macro"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0}
    assert len(result["confusion_matrix"]) == 3


def test_a_probability_of_zero_for_the_truth_costs_a_finite_number_of_nats():
    result = classification_metrics(np.array([[1.0, 0.0]]), np.array([1]), ("a", "b"))
    assert result["cross_entropy"] == pytest.approx(87.34, abs=0.01)


def test_the_result_is_json_without_nan():
    json.dumps(classification_metrics(*random_case()), allow_nan=False)
    json.dumps(classification_metrics(PROBABILITIES, LABELS, ("a", "b")), allow_nan=False)


def test_a_softmax_of_low_precision_is_accepted():
    ml_dtypes = pytest.importorskip("ml_dtypes")
    probabilities, labels, names = random_case()
    classification_metrics(probabilities.astype(ml_dtypes.bfloat16).astype("float32"), labels, names)
    classification_metrics(probabilities.astype("float16"), labels, names)


@pytest.mark.parametrize(
    ("probabilities", "labels", "message"),
    [
        (np.array([[3.0, -1.0]]), [0], "look like logits"),
        (np.array([[0.5, 0.4]]), [0], "sum to 1"),
        (np.array([[0.2, 0.1], [0.5, 0.5]]), [0, 0], "sums to 0.3"),
        (np.array([[0.5, np.nan]]), [0], "NaN"),
        (np.array([[0.5, np.inf]]), [0], "infinity"),
        (np.array([[1, 0]]), [0], "floats"),
        (np.array([[0.5, 0.3, 0.2]]), [0], r"shape \(n, 2\)"),
        (np.array([0.5, 0.5]), [0, 1], r"shape \(n, 2\)"),
        (PROBABILITIES, [0, 1], "one label for each of the 4"),
        (PROBABILITIES, [[0], [1], [1], [1]], "one label for each"),
        (np.zeros((0, 2)), [], "at least one"),
        (PROBABILITIES, [0.0, 1.0, 1.0, 1.0], "integers"),
        (PROBABILITIES, [0, 1, 2, 1], "labels from 0 to 1, received 0 to 2"),
        (PROBABILITIES, [0, 1, -1, 1], "received -1"),
    ],
)
def test_what_is_not_probabilities_and_labels_is_refused(probabilities, labels, message):
    with pytest.raises(InputError, match=message):
        classification_metrics(probabilities, np.array(labels), ("a", "b"))
