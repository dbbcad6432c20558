"""The best trials of a search: its winner, and the Pareto fronts of score and cost.

`objective` is `(name, "min" or "max")`.
"""

from keras_vit.training.tuning.costs import COSTS
from keras_vit.training.tuning.state.records import TrialRecord


def winner(records: list[TrialRecord], objective: tuple[str, str]) -> TrialRecord | None:
    """Returns the trial with the best score on validation data, of equal ones the fastest.

    Trials that exceed a limit were never trained, so they have no score. None when no trial has one.
    """

    def key(record):  # equal scores: latency, or the parameters where none was measured
        costs = record.footprint
        return -_gain(record, objective), costs.get("latency_ms", 0.0), costs.get("parameters", 0)

    return min((record for record in records if record.is_scored), key=key, default=None)


def best_of_each_run(records, objective):
    """Returns the best-scored trial of each run: a promotion and what it continues are one model."""
    best = {}
    for record in records:
        if record.is_scored:
            known = best.get(record.root)
            if known is None or _gain(record, objective) >= _gain(known, objective):
                best[record.root] = record
    return list(best.values())


def pareto_front(records, objective, cost):
    """Returns the trials for which no other is as good and as cheap, and better in one of both.

    The cheapest comes first; trials without that cost are left out.
    """
    known = [record for record in records if cost in record.footprint]
    front = []
    for record in sorted(known, key=lambda r: (r.footprint[cost], -_gain(r, objective))):
        if not front or _gain(record, objective) > _gain(front[-1], objective):
            front.append(record)
    return front


def pareto_fronts(records, objective):
    """Returns a dict from each cost that is known for some of these trials to its front, latency first."""
    known = [cost for cost in COSTS if any(cost in record.footprint for record in records)]
    return {cost: pareto_front(records, objective, cost) for cost in known}


def _gain(record, objective):
    return record.score if objective[1] == "max" else -record.score
