"""The answer for each image of the splits that were not trained on, as a CSV file."""

import csv
import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from keras_vit.io.files import atomic_path, open_csv
from keras_vit.io.label_kinds import CLASS, NUMBERS, SEVERAL, SOFT
from keras_vit.training.data import ImageData
from keras_vit.training.label_issues import likely_wrong

DOUBT = "doubt"  # the column of likely wrong labels: 1 is the most likely
BEFORE = ("path", "split")  # columns before those of the kind of labels


def write_predictions(
    path: Path,
    data: ImageData,
    answers: Mapping[str, np.ndarray],
    thresholds: Sequence[float] | None = None,
):
    """Writes a row for each image; the most confident mistakes, or largest errors, come first.

    Labels that are likely wrong are numbered in the last column.
    """
    columns, read = _READERS[data.label_kind]
    rows = []
    for name, values in answers.items():
        split = data.splits[name]
        found = read(split.labels, values, data.label_names, thresholds)
        pairs = zip(split.names(), found, strict=True)
        rows += [[rank, image, name, *row, ""] for image, (rank, row) in pairs]
    labels = np.concatenate([data.splits[name].labels for name in answers])
    doubtful = likely_wrong(labels, np.concatenate(list(answers.values())), data.label_kind)
    for place, row in enumerate(doubtful, start=1):
        rows[row][-1] = place
    rows.sort(key=lambda row: row[0])
    with atomic_path(path) as temporary, open_csv(temporary) as file:
        writer = csv.writer(file)
        writer.writerow([*BEFORE, *columns(data.label_names), DOUBT])
        writer.writerows(row for _, *row in rows)


def _of_classes(labels, answers, names, _):
    labels = labels if labels.ndim == 1 else labels.argmax(axis=1)
    best, scores = answers.argmax(axis=1).tolist(), answers.max(axis=1).tolist()
    for label, answer, score in zip(labels.tolist(), best, scores, strict=True):
        right = label == answer
        rank = (right, float(f"{score if right else -score:.6f}"))
        yield rank, (names[label], names[answer], f"{score:.6f}", int(right))


def _of_several(labels, answers, names, thresholds):
    found, held = answers >= np.asarray(thresholds), labels > 0
    of_truth = np.where(held, answers, 1 - answers)
    for is_held, is_found, truth, row in zip(held, found, of_truth, answers, strict=True):
        right = bool((is_held == is_found).all())
        words = [";".join(itertools.compress(names, chosen)) for chosen in (is_held, is_found)]
        yield (right, float(truth.min())), (*words, int(right), *(f"{score:.6f}" for score in row))


def _of_numbers(labels, answers, names, _):
    spread = np.maximum(labels.std(axis=0), 1e-12)
    errors = np.abs((answers - labels) / spread).mean(axis=1)
    for label, answer, error in zip(labels.tolist(), answers.tolist(), errors.tolist(), strict=True):
        pairs = (f"{value:.6g}" for pair in zip(label, answer, strict=True) for value in pair)
        yield (-error,), tuple(pairs)


_CLASSES = (lambda names: ("label", "answer", "score", "correct")), _of_classes
_READERS = {
    CLASS: _CLASSES,
    SOFT: _CLASSES,
    SEVERAL: ((lambda names: ("labels", "answers", "correct", *names)), _of_several),
    NUMBERS: (
        (lambda names: tuple(f"{kind}{name}" for name in names for kind in ("", "answer: "))),
        _of_numbers,
    ),
}
