"""How a search ends."""

import pytest

from keras_vit.training.tuning import search_run
from keras_vit.training.tuning.state.records import FAILED, TrialRecord


@pytest.mark.parametrize(
    ("before", "hint"),
    [(set(), ""), ({"1"}, " That was before this start: give more --trials, or another folder.")],
)
def test_an_old_failure_is_not_shown_as_a_new_one(before, hint):
    failed = [TrialRecord(number, {}, 0, number, status=FAILED, reason="bad metric.") for number in "01"]
    error = search_run._no_winner(failed, before)
    assert str(error) == f"No trial was trained to a score; trial 1: bad metric.{hint}"
