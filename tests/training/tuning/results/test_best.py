"""Limits, the winner and the Pareto front, from records alone."""

import pytest

from keras_vit.training.tuning.costs import Limits
from keras_vit.training.tuning.results.best import best_of_each_run, pareto_front, pareto_fronts, winner
from keras_vit.training.tuning.state.records import COMPLETED, FAILED, MISFIT, STOPPED, TrialRecord

BEST = ("val_accuracy", "max")


def record(trial, score=None, status=COMPLETED, root=None, **footprint):
    return TrialRecord(trial, {}, 0, root or trial, footprint, status=status, score=score)


def test_the_most_accurate_wins_and_of_equals_the_fastest():
    records = [
        record("slow", 0.9, latency_ms=3.0, parameters=1),
        record("fast", 0.9, latency_ms=1.0, parameters=9),
        record("weak", 0.8, latency_ms=0.1),
        record("halted", 0.85, STOPPED, latency_ms=0.1),
    ]
    assert winner(records, BEST).id == "fast"
    assert winner(records, ("val_loss", "min")).id == "weak"


def test_where_no_latency_is_measured_the_smallest_of_equals_wins():
    assert (
        winner([record("large", 0.9, parameters=9), record("small", 0.9, parameters=1)], BEST).id == "small"
    )


def test_trials_that_failed_or_do_not_fit_never_win():
    assert winner([record("a", None, FAILED), record("b", None, MISFIT)], BEST) is None


def test_the_front_has_the_trials_that_no_other_beats_in_both():
    records = [
        record("a", 0.7, latency_ms=1.0),
        record("b", 0.9, latency_ms=2.0),
        record("c", 0.8, latency_ms=3.0),
        record("d", 0.6, latency_ms=1.0),
        record("e", 0.99),
    ]
    assert [r.id for r in pareto_front(records, BEST, "latency_ms")] == ["a", "b"]


def test_there_is_a_front_for_each_cost_that_is_known():
    records = [
        record("a", 0.7, latency_ms=1.0, size_bytes=2, flops=5, parameters=3),
        record("b", 0.9, latency_ms=2.0, size_bytes=1, flops=9, parameters=3),
    ]
    found = {cost: [r.id for r in chosen] for cost, chosen in pareto_fronts(records, BEST).items()}
    assert found == {"latency_ms": ["a", "b"], "size_bytes": ["b"], "flops": ["a", "b"], "parameters": ["b"]}
    assert list(pareto_fronts([record("c", 0.5, parameters=1)], BEST)) == ["parameters"]


def test_a_promotion_replaces_the_trial_that_it_continues():
    records = [record("a", 0.7), record("b", 0.9, root="a"), record("c", 0.5)]
    assert [r.id for r in best_of_each_run(records, BEST)] == ["b", "c"]


@pytest.mark.parametrize(
    ("limit", "footprint", "reason"),
    [
        ({"max_params": 10}, {"parameters": 11}, "11 parameters, allowed are 10"),
        ({"max_size_mb": 0.5}, {"size_bytes": 600_000}, "0.6 MB, allowed are 0.5"),
        ({"max_latency_ratio": 0.7}, {"latency_ratio": 0.8}, "0.8 times the reference's latency"),
        ({"max_latency_ms": 1.0}, {"latency_ms": 1.0}, None),
        ({"max_latency_ms": 1.0}, {"parameters": 10**9}, None),
    ],
)
def test_a_limit_names_the_figure_that_exceeds_it(limit, footprint, reason):
    message = Limits(**limit).exceeded(footprint)
    assert message is None if reason is None else message.startswith(reason)
