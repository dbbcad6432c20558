"""Compares the outputs of a file with those of its model, for the same items."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from keras_vit.errors import ConditionError, InputError
from keras_vit.export.tasks import Task
from keras_vit.export.tasks.agreement import of_values, spread_of
from keras_vit.importing import raised

MOST_EXCUSED = 0.1  # of the outputs' spread: the largest typical error by which a margin is measured


class Expected(NamedTuple):
    """A model's own values of one output, and what is known about them."""

    values: np.ndarray
    task: Task | None = None
    labels: np.ndarray | None = None  # of the items
    thresholds: np.ndarray | None = None  # of labels that each hold or not
    none_below: float | None = None  # of classes: the least value of the best one that is an answer

    @property
    def threshold(self):
        """The least value of a yes: 0.5 if a model's values are in [0, 1], else 0, as for logits."""
        if self.thresholds is not None:
            return self.thresholds
        return 0.5 if self.values.min() >= 0 and self.values.max() <= 1 else 0.0


class Metric(NamedTuple):
    """A person's own metric: a function of labels and outputs."""

    name: str
    function: Callable
    higher_is_better: bool
    labels: object


def compare(
    expected: dict[str, Expected], found: dict[str, np.ndarray], metric: Metric | None = None
) -> dict:
    """Compares the outputs of a file, by name, with the model's.

    Returns the figures of a row in `export.json`. `max_difference` is the largest difference of an output,
    relative to its largest value. `output_error` is the root mean square of the differences relative to the
    output's spread over the items. `agreement` and `same_decisions` are shares of decisions (see
    `keras_vit.export.tasks.agreement`). `drop` is what is lost: with labels hundredths of the task's score
    (`score` and `reference_score`, of the metric `metric`), or the person's metric in its own unit; without
    labels hundredths of the outputs' variance, `100 * output_error ** 2`. Of several outputs each figure is
    that of the worst, and `outputs` has all.
    """
    for name, value in expected.items():
        _check_like(name, value.values, found[name])
    figures = {name: _figures(value, found[name]) for name, value in expected.items()}
    row = _worst(list(figures.values()))
    if len(figures) > 1:
        row["outputs"] = figures
    return row if metric is None else {**row, **_own_metric(metric, expected, found)}


def _check_like(name, expected, found):
    if expected.shape != found.shape:
        raise ConditionError(f"returns {name} of shape {found.shape}, the model's is {expected.shape}")
    if not np.isfinite(found).all():
        raise ConditionError(f"returns NaN or infinite values of {name}")


def _figures(expected, found):
    values, task, labels, *_ = expected
    if values.dtype.kind != "f":
        wrong = values != found
        same = ~wrong.reshape(len(wrong), -1).any(axis=1)
        share, error, agreeing = float(np.mean(wrong)), float(np.sqrt(np.mean(wrong))), same
    else:
        difference = found.astype("float64") - values
        spread = spread_of(values)
        rms = float(np.sqrt(np.mean(difference**2)))
        share = float(np.abs(difference).max() / (np.abs(values).max() or 1))
        error = rms / (spread or 1)
        decide = task.agreement if task else of_values
        same, agreeing = decide(values, found, min(rms, MOST_EXCUSED * spread), expected.threshold)
    figures = {
        "agreement": float(np.mean(agreeing)),
        "same_decisions": float(np.mean(same)),
        "output_error": error,
        "max_difference": share,
        "drop": round(100 * error**2, 9),
    }
    if task and labels is not None:
        score, reference = (float(task.score(labels, x, expected.threshold)) for x in (found, values))
        figures |= {"metric": task.metric, "score": score, "reference_score": reference}
        figures["drop"] = round(100 * (reference - score), 9)  # or 5 items of 1,000 would be more than 0.5
    return figures


def _worst(figures):
    if len(figures) == 1:
        return dict(figures[0])
    worst = {name: min(f[name] for f in figures) for name in ("agreement", "same_decisions")}
    return worst | {
        name: max(f[name] for f in figures) for name in ("output_error", "max_difference", "drop")
    }


def _own_metric(metric, expected, found):
    values = {name: value.values for name, value in expected.items()}
    reference, score = (measured(metric, outputs) for outputs in (values, found))
    if not np.isfinite(score):
        raise ConditionError(f"the metric {metric.name} is {score}, of the model it is {reference:.6g}")
    drop = reference - score if metric.higher_is_better else score - reference
    return {"metric": metric.name, "score": score, "reference_score": reference, "drop": drop}


def measured(metric: Metric, outputs: dict) -> float:
    """Returns the value of a person's metric of outputs, arrays by name."""
    outputs = outputs if len(outputs) > 1 else next(iter(outputs.values()))
    try:
        value = metric.function(metric.labels, outputs)
        if np.size(value) == 1:
            return float(np.asarray(value).reshape(()))
        raise TypeError(f"one number is needed, it returned {np.size(value)}")
    except Exception as error:  # the person's code, or Keras's
        raise InputError(f"The metric {metric.name} cannot be computed: {raised(error)}.") from error
