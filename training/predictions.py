"""The answer for each image of the splits that were not trained on, as a CSV file."""

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from keras_vit.io.files import atomic_path, open_csv
from keras_vit.training.data import ImageData

COLUMNS = ("path", "split", "label", "answer", "score", "correct")


def write_predictions(path: Path, data: ImageData, probabilities: Mapping[str, np.ndarray]):
    """Writes a row for each image; the most confident mistakes come first, the surest answers last.

    Args:
        path: of the CSV file.
        data: ImageData.
        probabilities: for some splits by name, those of each image, float `(num_images, num_classes)`.
    """
    rows = []
    for name, of_split in probabilities.items():
        split, answers = data.splits[name], of_split.argmax(axis=1)
        labels, scores = split.labels.tolist(), of_split.max(axis=1).tolist()
        for image, label, answer, score in zip(split.names(), labels, answers.tolist(), scores, strict=True):
            words = (image, name, data.label_names[label], data.label_names[answer])
            rows.append((*words, f"{score:.6f}", int(label == answer)))
    rows.sort(key=lambda row: (row[-1], float(row[-2]) if row[-1] else -float(row[-2])))
    with atomic_path(path) as temporary, open_csv(temporary) as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(rows)
