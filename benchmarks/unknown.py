"""Measures how many pictures of unknown classes a classifier still gives a class to.

    python benchmarks/unknown.py RUNS [--data-dir DIR] [--epochs 5] [--seeds 1]

A network of the recipe `cnn_cifar10` learns eight classes of CIFAR-10; the test images of the other two are
unknown. `evaluate` fits a probability for 95 % right answers, once by the validation images alone and once
against half of the unknown images too; the other half is counted. A run in the folder RUNS is continued.
"""

import argparse
import statistics
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from keras_vit.training import evaluate, load_data, train
from keras_vit.training.recipe import override
from keras_vit.training.recipe_file import read_recipe

UNKNOWN = (2, 9)  # bird, truck
PRECISION = 0.95


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--data-dir")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=1)
    options = parser.parse_args()
    whole = load_data("tfds:cifar10", data_dir=options.data_dir)
    parts = {name: split_of(whole.splits[name], known=True) for name in whole.splits}
    with tempfile.TemporaryDirectory() as folder:
        unknown = Path(folder, "unknown")
        unknown.mkdir()
        for index, image in enumerate(split_of(whole.test, known=False)[0]):
            Image.fromarray(image).save(unknown / f"{index}.png")
        rows = []
        for seed in range(options.seeds):
            recipe = override(read_recipe("cnn_cifar10"), [f"epochs={options.epochs}", f"seed={seed}"])
            run_dir = options.runs / f"unknown{seed}"
            run = train(recipe, run_dir, data=parts, resume=run_dir.exists())
            for against in (None, unknown):
                options_of = {"data": parts, "precision": PRECISION, "unknown": against}
                found = evaluate(run.folder.path, **options_of)["none_of_these"]
                if against is None:
                    without = found
            share = unknown_share(run, unknown, without["threshold"])
            rows.append((run.metrics["accuracy"], without, share, found))
            print(seed, run.metrics["accuracy"], without, share, found, flush=True)
    for label, values in (
        ("accuracy on known classes", [row[0] for row in rows]),
        ("by validation alone: precision", [row[1]["precision"] for row in rows]),
        ("    known answered", [row[1]["answered"] for row in rows]),
        ("    unknown answered", [row[2] for row in rows]),
        ("against unknown: precision", [row[3]["precision"] for row in rows]),
        ("    known answered", [row[3]["answered"] for row in rows]),
        ("    unknown answered", [row[3]["unknown_answered"] for row in rows]),
    ):
        shown = " ".join(f"{100 * value:.1f}" for value in values)
        print(f"{label:<34}{100 * statistics.median(values):5.1f} %   ({shown})")


def split_of(split, known):
    rows = np.flatnonzero(np.isin(split.labels, UNKNOWN) != known)
    kept = [label for label in range(10) if label not in UNKNOWN]
    labels = np.searchsorted(kept, split.labels[rows]).astype("int32")
    return split.images[rows], labels


def unknown_share(run, folder, threshold):
    from keras_vit.export import load_predictor

    images = np.stack([np.asarray(Image.open(file)) for file in sorted(folder.iterdir())])
    return float((load_predictor(run.folder.path).probabilities(images).max(axis=1) >= threshold).mean())


if __name__ == "__main__":
    main()
