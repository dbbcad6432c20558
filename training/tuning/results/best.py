"""The best trials of a search: the winner, and those on a Pareto front of score and cost."""

from keras_vit.training.tuning.state.records import TrialRecord

COSTS = ("latency_ms", "size_bytes", "flops", "parameters")


def finals(records, objective):
    """Returns of each run its best-scored trial: what a promotion continues is one model with it.

    Args:
        records: iterable of TrialRecord.
        objective: `(name, "min" or "max")`.
    """
    best = {}
    for record in records:
        if record.is_scored:
            known = best.get(record.root)
            if known is None or _gain(record, objective) >= _gain(known, objective):
                best[record.root] = record
    return list(best.values())


def front(records, objective, cost):
    """Returns the trials for which no other is as good and as cheap, and better in one of both.

    Args:
        records: list of TrialRecord with scores.
        objective: `(name, "min" or "max")`.
        cost: key of their footprints; less is better.

    Returns:
        list of TrialRecord, the cheapest first; without those of which the cost is not known.
    """
    known = [record for record in records if cost in record.footprint]
    chosen = []
    for record in sorted(known, key=lambda r: (r.footprint[cost], -_gain(r, objective))):
        if not chosen or _gain(record, objective) > _gain(chosen[-1], objective):
            chosen.append(record)
    return chosen


def fronts_of(records, objective):
    """Returns a dict from each cost that is known of some of these trials to its front, latency first."""
    known = [cost for cost in COSTS if any(cost in record.footprint for record in records)]
    return {cost: front(records, objective, cost) for cost in known}


def _gain(record, objective):
    return record.score if objective[1] == "max" else -record.score


def winner(records, objective):
    """Returns the most accurate trial within the limits, on validation data; of several the fastest.

    Trials over a limit were never trained, so that they have no score.

    Args:
        records: iterable of TrialRecord.
        objective: `(name, "min" or "max")`.

    Returns:
        TrialRecord, or None when no trial has a score.
    """
    sign = -1 if objective[1] == "max" else 1
    scored = [record for record in records if record.is_scored]
    return min(scored, key=lambda record: (sign * record.score, *cost(record)), default=None)


def cost(record: TrialRecord):
    """What decides between equal scores: latency, or where none was measured the parameters."""
    figures = record.footprint
    return (figures.get("latency_ms", 0.0), figures.get("parameters", 0))
