"""Accuracy of runs on the CIFAR-10 test images that are original pixels, and on the JPEG copies among them.

    python benchmarks/original_test_images.py RUN [RUN ...]

The test split of these figures holds the original pixels up to `test_01016`; the others come from JPEG
files. The records are shuffled: the `id` of an image says which it is, its `path` in `predictions.csv`.
"""

import csv
import sys
from pathlib import Path

ORIGINALS = 1017
PREFIX = "test_"  # of the ids of the test split


def main():
    print("| run | originals | copies | all |\n| --- | --- | --- | --- |")
    for run in sys.argv[1:]:
        with open(Path(run, "predictions.csv"), encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file) if row["split"] == "test"]
        if not rows or not all(row["path"].startswith(PREFIX) for row in rows):
            raise SystemExit(
                f"{run}: expected a run of tfds:cifar10, whose images are called test_00000 and so on"
            )
        original, copies = [], []
        for row in rows:
            (original if int(row["path"].removeprefix(PREFIX)) < ORIGINALS else copies).append(row)
        print(f"| {Path(run).name} | {accuracy(original)} | {accuracy(copies)} | {accuracy(rows)} |")


def accuracy(rows):
    """The share of right answers in percent, and the number of images."""
    return f"{100 * sum(row['correct'] == '1' for row in rows) / len(rows):.2f} % of {len(rows):,}"


if __name__ == "__main__":
    main()
