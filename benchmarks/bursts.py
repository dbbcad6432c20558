"""Measures how much too good the reported accuracy is where a set has several shots of each thing.

    python benchmarks/bursts.py [--data-dir DIR] [--seeds 3]

Things are images of CIFAR-10, 130 of each class. Each is photographed eight times: another part of it (shifts
of up to 6 % of a side), brightness (15 %), noise (6 levels) and JPEG (quality 85), 64 x 64 pixels. A small
convolutional network is trained on a folder of these with default splits, without and with near-duplicates
kept together; which belong together is not given. Its accuracy on the test split is compared with that on
photographs of 2,000 other things. Prints both, and the mean difference with its standard error over seeds.
"""

import argparse
import io
import os
import tempfile
import warnings
from pathlib import Path

import numpy as np
from PIL import Image

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

THINGS, SHOTS, FRESH = 130, 8, 200  # of each class; of each thing; other things of each class
WHOLE, SIDE = 72, 64  # pixels of a thing and of a photograph, which is a part of it
WAYS = {"near_duplicates=false": False, "default": None}
EPOCHS, MODEL = 8, 20  # pixels of the model's images


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data-dir", help="where TensorFlow Datasets keeps CIFAR-10")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    from keras_vit.training import load_data

    whole = load_data("tfds:cifar10", data_dir=options.data_dir)
    found = {way: [] for way in WAYS}
    for seed in range(options.seeds):
        with tempfile.TemporaryDirectory() as folder:
            fresh = photographed(whole, Path(folder), np.random.default_rng(seed))
            for way, asked in WAYS.items():
                found[way].append(accuracies(folder, fresh, asked, seed))
                reported, on_fresh = found[way][-1]
                print(f"seed {seed}: {way}: reported {reported:.4f}, fresh {on_fresh:.4f}", flush=True)
    print("| splits | reported | fresh things | difference |\n| --- | --- | --- | --- |")
    for way, pairs in found.items():
        reported, on_fresh = 100 * np.array(pairs).T
        change = reported - on_fresh
        error = change.std(ddof=1) / len(change) ** 0.5 if len(change) > 1 else np.nan
        cells = f"{reported.mean():.1f} % | {on_fresh.mean():.1f} % | {change.mean():+.1f} ± {error:.1f}"
        print(f"| {way} | {cells} |")


def photographed(whole, folder, rng):
    """Writes a folder of bursts, and returns photographs of other things: images and labels."""
    images, labels = whole.train.images, whole.train.labels
    fresh = []
    for label, name in enumerate(whole.label_names):
        rows = rng.permutation(np.flatnonzero(labels == label))[: THINGS + FRESH]
        (folder / "bursts" / name).mkdir(parents=True)
        shots = [(row, shot) for row in rows[:THINGS] for shot in range(SHOTS)]
        for number, place in enumerate(rng.permutation(len(shots))):  # names say nothing
            content = photograph(images[shots[place][0]], rng)
            (folder / "bursts" / name / f"{number:04}.jpg").write_bytes(content)
        fresh += [(photograph(images[row], rng), label) for row in rows[THINGS:]]
    return fresh


def photograph(thing, rng):
    """The bytes of a JPEG."""
    enlarged = np.asarray(Image.fromarray(thing).resize((WHOLE, WHOLE), Image.Resampling.BICUBIC), float)
    top, left = rng.integers(0, WHOLE - SIDE + 1, 2)
    pixels = enlarged[top : top + SIDE, left : left + SIDE] * rng.uniform(0.85, 1.15)
    pixels += rng.normal(0, 6, pixels.shape)
    file = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype("uint8")).save(file, "JPEG", quality=85)
    return file.getvalue()


def accuracies(folder, fresh, near_duplicates, seed):
    """The accuracy that a run reports, and that on photographs of other things."""
    from keras_vit.io.images import decode_image
    from keras_vit.training import ImageRecipe, train

    recipe = ImageRecipe(
        data=f"folder:{folder}/bursts",
        near_duplicates=near_duplicates,
        image_size=MODEL,
        model="cnn",
        hidden_dim=64,
        batch_norm=True,
        epochs=EPOCHS,
        batch_size=64,
        learning_rate=3e-3,
        optimizer="adam",
        weight_decay=0.0,
        seed=seed,
    )
    with tempfile.TemporaryDirectory() as runs, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run = train(recipe, f"{runs}/run")
        images = np.stack([decode_image(jpeg, "fresh", run.data.preparation) for jpeg, _ in fresh])
        answers = run.model.predict(images, verbose=0).argmax(axis=1)
    return run.metrics["accuracy"], float((answers == [label for _, label in fresh]).mean())


if __name__ == "__main__":
    main()
