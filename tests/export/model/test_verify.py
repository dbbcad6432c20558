import numpy as np
import pytest

from keras_vit import ConditionError
from keras_vit.export.model.keras_export import KerasExport
from keras_vit.export.model.verify import Expected, compare
from keras_vit.export.tasks import TASKS
from keras_vit.export.verification.attempt import check_tolerances

CLASSES = TASKS["classification"]


def compared(reference, candidate, task=None, labels=None):
    labels = None if labels is None else np.asarray(labels)
    return compare({"y": Expected(np.asarray(reference), task, labels)}, {"y": np.asarray(candidate)})


def test_comparison_counts_what_differs():
    reference = [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7]]
    result = compared(reference, [[0.8, 0.2], [0.2, 0.8], [0.1, 0.9], [0.3, 0.7]], CLASSES, [0, 1, 0, 0])
    assert (result["same_decisions"], result["reference_score"], result["score"]) == (0.75, 0.75, 0.5)
    assert result["metric"] == "accuracy" and result["drop"] == 25
    assert result["max_difference"] == pytest.approx(0.5 / 0.9)


def test_five_images_of_a_thousand_are_half_a_point_and_no_more():
    reference, candidate = (np.eye(2)[(np.arange(1000) < wrong).astype(int)] for wrong in (20, 25))
    assert compared(reference, candidate, CLASSES, np.zeros(1000, int))["drop"] == 0.5


def test_nan_is_a_failure():
    with pytest.raises(ConditionError, match="NaN"):
        compared([[0.9, 0.1], [0.2, 0.8]], [[np.nan, np.nan], [0.2, 0.8]], CLASSES, [0, 1])


def test_another_shape_is_a_failure():
    with pytest.raises(ConditionError, match=r"y of shape \(1, 3\), the model's is \(1, 2\)"):
        compared([[0.9, 0.1]], [[0.9, 0.1, 0.0]])


def test_a_changed_class_counts_only_where_the_model_was_sure():
    sure = np.tile([[0.9, 0.1], [0.1, 0.9]], (50, 1))
    reference = np.concatenate([sure, [[0.501, 0.499]]])
    small = reference + np.where(np.arange(101) == 100, -1, 1)[:, None] * [[0.002, -0.002]]
    assert small[-1].argmax() != reference[-1].argmax()
    result = compared(reference, small, CLASSES)
    assert result["same_decisions"] == pytest.approx(100 / 101) and result["agreement"] == 1


def test_large_errors_do_not_excuse_changed_classes():
    reference = np.tile([[0.9, 0.1], [0.1, 0.9]], (50, 1))
    result = compared(reference, 1 - reference, CLASSES)
    assert result["agreement"] == result["same_decisions"] == 0


def test_without_labels_the_drop_is_the_variance_that_got_lost():
    reference = np.random.default_rng(0).normal(size=(400, 3))
    error = np.random.default_rng(1).normal(size=(400, 3))
    result = compared(reference, reference + 0.1 * error)
    assert result["output_error"] == pytest.approx(0.1, rel=0.05)
    assert result["drop"] == pytest.approx(1, rel=0.1)


def test_rounding_is_no_loss_of_a_model_that_returns_nearly_the_same_for_all_items():
    random = np.random.default_rng(0)
    reference = 7 + 1e-6 * random.normal(size=(50, 3))
    result = compared(reference, reference + 1e-6 * random.normal(size=(50, 3)))
    assert result["drop"] < 1e-3 and result["agreement"] == 1
    assert compared(np.full((50, 3), 7.0), np.full((50, 3), 7.5))["drop"] > 100


def test_of_several_outputs_the_worst_counts_and_all_are_listed():
    x = np.random.default_rng(0).normal(size=(50, 2))
    expected = {"a": Expected(x), "b": Expected(x)}
    result = compare(expected, {"a": x, "b": x + 0.5})
    assert result["outputs"]["a"]["drop"] == 0 < result["drop"] == result["outputs"]["b"]["drop"]
    with pytest.raises(ConditionError, match=r"lost \d+\.\d\d points in b, allowed are 0.5"):
        check_tolerances({"variant": "fp16", "max_drop": 0.5, **result}, KerasExport)


@pytest.mark.parametrize(("variant", "is_calibrated"), [("full_int8", True), ("dynamic_int8", False)])
def test_more_calibration_is_advised_where_it_can_help(variant, is_calibrated):
    row = {"variant": variant, "max_drop": 0.5, "drop": 1.0}
    with pytest.raises(ConditionError) as error:
        check_tolerances(row, KerasExport)
    assert ("calibration" in str(error.value)) == is_calibrated


def test_whole_numbers_are_compared_for_equality():
    result = compared([[1, 2], [3, 4]], [[1, 2], [3, 5]])
    assert (result["max_difference"], result["agreement"]) == (0.25, 0.5)
