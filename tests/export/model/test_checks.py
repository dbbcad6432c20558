import warnings

import numpy as np
import pytest

from keras_vit import InputError
from keras_vit.export.model.checks import (
    check_alike,
    check_calibration,
    warn_of_equal_outputs,
    warn_of_few_items,
)
from keras_vit.export.model.meaning import expected_outputs


def items(count, size=(4, 4, 3), dtype="uint8"):
    return {"images": np.zeros((count, *size), dtype)}


@pytest.mark.parametrize("variant", ["mixed_int8", "full_int8", "int16x8", "auto"])
def test_a_variant_with_fixed_ranges_needs_calibration_items(variant):
    with pytest.raises(InputError, match=f"calibration items for {variant}, received none"):
        check_calibration(("fp32", variant), None)
    with pytest.raises(InputError, match=f"at least 32 .* for {variant}, received 31"):
        check_calibration(("fp32", variant), items(31))
    check_calibration(("fp32", variant), items(32))


@pytest.mark.parametrize("given", [None, items(1)])
def test_the_other_variants_need_none(given):
    check_calibration(("savedmodel", "fp32", "fp16", "dynamic_int8", "int4"), given)


@pytest.mark.parametrize("given", [items(40, (4, 5, 3)), items(40, dtype="float32")])
def test_calibration_items_of_another_kind_are_refused(given):
    with pytest.raises(InputError, match="like the inputs, uint8"):
        check_alike(items(1), given)


def test_outputs_that_are_the_same_for_all_items_are_reported():
    with pytest.warns(UserWarning, match="score is the same for all 5 items, so that comparing files"):
        warn_of_equal_outputs({"score": np.full((5, 3), 0.2, "float32")})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_equal_outputs({"score": np.eye(5), "of_one": np.ones((1, 3))})


def test_too_few_items_to_see_the_allowed_loss_are_reported():
    values, labels = np.eye(4, dtype="float32"), np.arange(4)
    for count, reported in ((4, True), (200, False)):
        outputs = {"kind": np.resize(values, (count, 4))}
        expected = expected_outputs(outputs, "classification", np.resize(labels, count))
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            warn_of_few_items(expected, 0.5)
        words = "kind: 4 items to compare on, each 25 points of accuracy"
        assert [str(w.message).partition(".")[0] for w in found] == [words] * reported
        assert {w.filename for w in found} <= {__file__}  # not a file of ours
