"""The metrics that are shown: training, the evaluate command, reports and searches read these rows."""

from collections.abc import Iterable
from typing import NamedTuple

LOGGED = {"loss": "min", "accuracy": "max"}  # computed in each epoch of classes: which values are better
CURVES = (*LOGGED, *(f"val_{name}" for name in LOGGED))  # as the logs of an epoch name them


class Metric(NamedTuple):
    """A metric of the test split."""

    key: str  # in metrics.json: "macro.f1" is the f1 of the dict macro
    label: str
    format: str = "{:.4f}"
    is_share: bool = False  # reports show it in percent

    def find(self, metrics):
        """Returns the value in what `metrics.json` holds, or None."""
        for part in self.key.split("."):
            metrics = (metrics or {}).get(part)
        return metrics


IMAGES = (
    Metric("accuracy", "accuracy", is_share=True),
    Metric("macro.recall", "balanced accuracy", is_share=True),
    Metric("top5_accuracy", "top-5 accuracy", is_share=True),
    Metric("macro.f1", "macro F1"),
    Metric("cross_entropy", "cross-entropy", "{:.4f} nats"),
    Metric("expected_calibration_error", "calibration error"),
    Metric("calibrated.expected_calibration_error", "calibration error, calibrated"),
    Metric("calibrated.calibration_error_by_chance", "calibration error by chance, up to"),
)
LABELS = (
    Metric("mean_average_precision", "mean average precision"),
    Metric("macro.f1", "macro F1"),
    Metric("exact_match", "exact match", is_share=True),
    Metric("cross_entropy", "cross-entropy", "{:.4f} nats"),
    Metric("expected_calibration_error", "calibration error"),
    Metric("calibrated.expected_calibration_error", "calibration error, calibrated"),
    Metric("calibrated.calibration_error_by_chance", "calibration error by chance, up to"),
)
NUMBERS = (
    Metric("mean_absolute_error", "mean absolute error", "{:.4g}"),
    Metric("root_mean_squared_error", "root mean squared error", "{:.4g}"),
    Metric("r2", "R squared"),
)
TEXT = (
    Metric("cross_entropy", "cross-entropy", "{:.4f} nats"),
    Metric("bits_per_character", "bits per character"),
    Metric("perplexity", "perplexity", "{:.3f}"),
    Metric("accuracy", "next-character accuracy", is_share=True),
    Metric("bigram.cross_entropy", "bigram model", "{:.4f} nats"),
    Metric("novelty.novel_share", "new samples", is_share=True),
)
PAIRS = (
    Metric("exact_match", "exact match", is_share=True),
    Metric("validation.exact_match", "exact match on validation", is_share=True),
    Metric("accuracy", "next-character accuracy", is_share=True),
    Metric("cross_entropy", "cross-entropy", "{:.4f} nats"),
)

ALL = (*IMAGES, *LABELS, *NUMBERS, *TEXT, *PAIRS)


def sentence(rows: Iterable[Metric], metrics: dict) -> str:
    """Returns the metrics that were computed, with their values, in one line.

    >>> sentence(IMAGES, {"accuracy": 0.5, "macro": {"f1": 0.25}})
    'accuracy 0.5000, macro F1 0.2500'
    """
    return ", ".join(f"{row.label} {row.format.format(value)}" for row, value in _computed(rows, metrics))


def card_texts(rows: Iterable[Metric], metrics: dict) -> dict[str, str]:
    """Returns a dict from the label of each metric that was computed to its value as reports show it."""
    return {
        f"{row.label[0].upper()}{row.label[1:]}": f"{100 * v:.2f} %" if row.is_share else row.format.format(v)
        for row, v in _computed(rows, metrics)
    }


def _computed(rows, metrics):
    values = [(row, row.find(metrics)) for row in rows]
    return [(row, value) for row, value in values if value is not None]
