"""The report on images with several labels each; what it has to have is said in `of_classes`."""

import numpy as np

from keras_vit.training.metrics import LABELS as METRICS
from keras_vit.training.report.names import picture_names
from keras_vit.training.report.of_classes import doubtful_pictures, folded
from keras_vit.training.report.predictions import calibration_pictures, mistakes_picture, precision_picture

CURVE, LOSS = "mean_average_precision", "Loss (nats)"
NO_MISTAKES = "The labels of all test images are right."
SHOWN = 8  # images

__all__ = ["CURVE", "LOSS", "METRICS", "NO_MISTAKES", "pictures", "table", "texts"]


def pictures(data, answers, metrics):
    yield "average_precision", precision_picture(metrics["per_label"], data.label_names)
    yield from calibration_pictures(metrics)
    wrong = _worst(answers, data.test.labels, _thresholds(metrics))
    if len(wrong):
        shown = texts(data.test.labels[wrong], answers[wrong], data.label_names, metrics)
        lines = [(f"true: {true}", f"found: {found}") for true, found in shown]
        yield "worst_labels", mistakes_picture(data.test, wrong, lines)
    yield from doubtful_pictures(data, answers, metrics, texts)


def texts(labels, answers, label_names, metrics):
    names = np.array(picture_names(label_names, max_length=12), object)
    found = answers >= _thresholds(metrics)
    return [tuple(_joined(names[row]) for row in pair) for pair in zip(labels > 0, found, strict=True)]


def table(metrics, label_names):
    rows = [("Index", "Label", "Threshold", "Average precision", "Precision", "Recall", "F1", "Images")]
    for index, row in enumerate(metrics["per_label"]):
        precision = row["average_precision"]
        ratios = [f"{row[name]:.3f}" for name in ("precision", "recall", "f1")]
        shown = "-" if precision is None else f"{precision:.3f}"
        rows.append((index, row["label"], f"{row['threshold']:.3f}", shown, *ratios, f"{row['support']:,}"))
    note = (
        "A label is found where its probability is at least its threshold, which has the highest F1 on the "
        "validation images; means are over the labels that some test image has."
    )
    return folded("Labels", f"All {len(label_names)} labels", rows, note, label_names)


def _worst(answers, labels, thresholds):
    """The indices of the images with wrong labels, the highest cross-entropy first."""
    wrong = np.flatnonzero(((answers >= thresholds) != (labels > 0)).any(axis=1))
    of_truth = np.where(labels[wrong] > 0, answers[wrong], 1 - answers[wrong]).astype("float64")
    return wrong[np.argsort(np.log(np.maximum(of_truth, 1e-30)).mean(axis=1), kind="stable")][:SHOWN]


def _thresholds(metrics):
    return np.array([row["threshold"] for row in metrics["per_label"]])


def _joined(names, most=3):
    shown = ", ".join(names[:most])
    return (f"{shown} +{len(names) - most}" if len(names) > most else shown) or "none"
