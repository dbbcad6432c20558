"""Measures what `vit_photos` reaches from scratch on 300 photographs.

    python benchmarks/few_photographs.py FOLDER [--data-dir DIR] [--seeds 3] [--recipes NAME ...]

FOLDER gets photographs of airplanes, cats, horses and ships from CIFAR-10, enlarged from 32 to 96 pixels, as
JPEG files: 75 of each class to learn from, of which the recipe validates on a tenth, and 50 of each class to
test on; other images for each seed. Prints the accuracy on the test images of each seed, and for each recipe
the mean, its standard error and the CPU seconds of a training. Chance is 25 %. A recipe may have changes, as
`vit_photos,epochs=80`.
"""

import argparse
import os
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

CLASSES = ("airplane", "cat", "horse", "ship")
PHOTOS = {"train": 75, "test": 50}  # of each class
SIDE = 96  # pixels of a photograph


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--data-dir", help="where TensorFlow Datasets keeps CIFAR-10")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--recipes", nargs="+", default=["vit_photos"], metavar="NAME[,field=value...]")
    options = parser.parse_args()
    found = {recipe: [] for recipe in options.recipes}
    for seed in range(options.seeds):
        photos = write_photographs(options.folder / f"{seed}", options.data_dir, seed)
        for recipe in options.recipes:
            found[recipe].append(trained(recipe, photos, seed))
            print(f"seed {seed}: {recipe} {found[recipe][-1][0]:.3f}", flush=True)
    print(table(found))


def write_photographs(folder, data_dir, seed):
    """Writes the photographs of a seed, unless they are there; returns the folder."""
    from keras_vit.training import load_data

    if folder.exists():
        return folder
    data = load_data("tfds:cifar10", data_dir=data_dir)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        whole = Path(temporary, "whole")
        for split, count in PHOTOS.items():
            images, labels = data.splits[split].images, data.splits[split].labels
            for name in CLASSES:
                rows = np.flatnonzero(labels == data.label_names.index(name))
                place = whole / split / name
                place.mkdir(parents=True)
                for row in np.random.default_rng(seed).choice(rows, count, replace=False):
                    photo = Image.fromarray(images[row]).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
                    photo.save(place / f"{row}.jpg", quality=95)
        whole.rename(folder)
    return folder


def trained(recipe, photos, seed):
    """Trains a recipe; returns the accuracy on the test images and the CPU seconds."""
    from keras_vit.training import train
    from keras_vit.training.recipe import override
    from keras_vit.training.recipe_file import read_recipe

    name, *changes = recipe.split(",")
    fields = {"data": f"folder:{photos}", "seed": seed}
    run_dir, began = Path(tempfile.mkdtemp()), time.process_time()
    try:
        run = train(override(read_recipe(name).replace(**fields), changes), run_dir)
    finally:
        shutil.rmtree(run_dir)
    return run.metrics["accuracy"], time.process_time() - began


def table(found):
    """A table in Markdown: for each recipe the mean, its standard error, and the seconds of a training."""
    lines = ["| recipe | test accuracy, % | CPU seconds |", "| --- | --- | --- |"]
    for recipe, values in found.items():
        accuracies, seconds = 100 * np.array(values).T[0], np.array(values).T[1]
        error = accuracies.std(ddof=1) / len(accuracies) ** 0.5 if len(accuracies) > 1 else float("nan")
        lines.append(f"| {recipe} | {accuracies.mean():.1f} ± {error:.1f} | {np.median(seconds):.0f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
