"""The report on images with numbers; what it has to have is said in `of_classes`."""

import numpy as np

from keras_vit.training.metrics import NUMBERS as METRICS
from keras_vit.training.report.of_classes import folded
from keras_vit.training.report.predictions import mistakes_picture, numbers_picture

CURVE, LOSS = "mean_absolute_error", "Loss"
NO_MISTAKES = "All answers are exact."
SHOWN = 8  # images

__all__ = ["CURVE", "LOSS", "METRICS", "NO_MISTAKES", "pictures", "table", "texts"]


def pictures(data, answers, metrics):
    labels = data.test.labels
    yield "numbers", numbers_picture(labels, answers, data.label_names)
    spread = np.maximum(labels.std(axis=0), 1e-12)
    errors = np.abs((answers - labels) / spread).mean(axis=1)
    worst = np.argsort(-errors, kind="stable")[:SHOWN]
    worst = worst[errors[worst] > 0]
    if len(worst):
        shown = texts(labels[worst], answers[worst], data.label_names, metrics)
        lines = [(f"true: {true}", f"answer: {answer}") for true, answer in shown]
        yield "worst_numbers", mistakes_picture(data.test, worst, lines)


def texts(labels, answers, label_names, metrics):
    return [(_joined(label), _joined(answer)) for label, answer in zip(labels, answers, strict=True)]


def table(metrics, label_names):
    columns = {
        "Mean absolute error": "mean_absolute_error",
        "Root mean squared error": "root_mean_squared_error",
        "R squared": "r2",
        "Mean error": "bias",
        "Lowest": "lowest",
        "Highest": "highest",
    }
    rows = [("Index", "Number", *columns)]
    for index, row in enumerate(metrics["per_number"]):
        values = (row[key] for key in columns.values())
        rows.append((index, row["label"], *("-" if v is None else f"{v:.4g}" for v in values)))
    note = "Errors are in the units of each number; an R squared of 0 is as good as always the mean."
    return folded("Numbers", f"All {len(label_names)} numbers", rows, note, label_names)


def _joined(values, most=3):
    shown = ", ".join(f"{value:.4g}" for value in values[:most])
    return f"{shown} ..." if len(values) > most else shown
