"""Chooses the winner of a search."""

from keras_vit.training.tuning.records import TrialRecord


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
