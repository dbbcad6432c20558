"""Compares ways to train on classes of unequal size: balanced accuracy on a test split of equal sizes.

    python benchmarks/unequal_classes.py [--data-dir DIR] [--seeds 3] [--rare 30]

1,500 cats and a few dogs of CIFAR-10, tested on 500 of each. A small convolutional network is trained by the
recipe `cnn_cifar10` in each way, and one like it by Keras's `fit` with `class_weight`; medians and all seeds.
"""

import argparse
import statistics
import tempfile

import keras
import numpy as np

from keras_vit.training import load_data, train
from keras_vit.training.recipe import override
from keras_vit.training.recipe_file import read_recipe

CAT, DOG, MANY, EPOCHS = 3, 5, 1500, 12
WAYS = {
    "as it is": [],
    "class_weight=balanced": ["class_weight=balanced"],
    "logit_adjustment=1": ["logit_adjustment=1"],
    "sampling=balanced": ["sampling=balanced"],
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data-dir")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rare", type=int, default=30)
    options = parser.parse_args()
    whole = load_data("tfds:cifar10", data_dir=options.data_dir)
    found = {name: [] for name in (*WAYS, "Keras, class_weight")}
    for seed in range(options.seeds):
        data = unequal(whole, options.rare, seed)
        for name, more in WAYS.items():
            fields = [f"epochs={EPOCHS}", f"seed={seed}", "label_smoothing=0", *more]
            with tempfile.TemporaryDirectory() as folder:
                run = train(override(read_recipe("cnn_cifar10"), fields), f"{folder}/run", data=data)
            found[name].append(run.metrics["macro"]["recall"])
            print(seed, name, found[name][-1], flush=True)
        found["Keras, class_weight"].append(by_keras(data, seed))
        print(seed, "Keras, class_weight", found["Keras, class_weight"][-1], flush=True)
    for name, values in found.items():
        shown = " ".join(f"{100 * value:.1f}" for value in values)
        print(f"{name:<24} {100 * statistics.median(values):5.1f} %   ({shown})")


def unequal(whole, rare, seed):
    generator = np.random.default_rng(seed)
    splits = {}
    for name, counts in (("train", (MANY, rare)), ("validation", (150, 15)), ("test", (500, 500))):
        split = whole.splits[name]
        rows = [
            generator.permutation(np.flatnonzero(split.labels == label))[:count]
            for label, count in zip((CAT, DOG), counts, strict=True)
        ]
        labels = np.repeat([0, 1], [len(part) for part in rows])
        splits[name] = (split.images[np.concatenate(rows)], labels)
    return load_data(splits)


def by_keras(data, seed):
    keras.utils.set_random_seed(seed)
    layers = keras.layers
    model = keras.Sequential(
        [keras.Input((32, 32, 3)), layers.Rescaling(1 / 255), layers.RandomFlip("horizontal")]
    )
    for filters in (32, 64, 128):
        for _ in range(2):
            model.add(layers.Conv2D(filters, 3, padding="same"))
            model.add(layers.BatchNormalization())
            model.add(layers.ReLU())
        model.add(layers.MaxPooling2D())
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Dense(2))
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    counts = np.bincount(data.train.labels)
    weights = dict(enumerate(counts.sum() / (2 * counts)))
    x, y = np.asarray(data.train.images), data.train.labels
    model.fit(x, y, batch_size=64, epochs=EPOCHS, class_weight=weights, verbose=0)
    answers = model.predict(np.asarray(data.test.images), verbose=0).argmax(axis=1)
    return float(np.mean([np.mean(answers[data.test.labels == label] == label) for label in (0, 1)]))


if __name__ == "__main__":
    main()
