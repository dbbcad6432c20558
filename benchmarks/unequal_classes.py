"""Compares ways to train on classes of unequal size: balanced accuracy on a test split of equal sizes.

    python benchmarks/unequal_classes.py [--data-dir DIR] [--seeds 3] [--rare 30] [--pretrain 12]

1,500 cats and a few dogs of CIFAR-10, tested on 500 of each, in each way: from scratch by the recipe
`cnn_cifar10`, against a network like it and Keras's `fit` with `class_weight`; or, with `--pretrain EPOCHS`,
by a head on the features of a LeViT that first learns the other eight classes, against a dense layer on the
same features and Keras's `fit` with `class_weight`. Medians and all seeds.
"""

import argparse
import statistics
import tempfile

import keras
import numpy as np

from keras_vit.training import load_data, train
from keras_vit.training.fine_tuning.probe import features_of, split_at_head
from keras_vit.training.recipe import override
from keras_vit.training.recipe_file import read_recipe

CAT, DOG, MANY, EPOCHS = 3, 5, 1500, 12
WAYS = {
    "as it is": [],
    "class_weight=balanced": ["class_weight=balanced"],
    "logit_adjustment=1": ["logit_adjustment=1"],
    "sampling=balanced": ["sampling=balanced"],
}
BY_KERAS = "Keras, class_weight"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data-dir")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rare", type=int, default=30)
    parser.add_argument("--pretrain", type=int, metavar="EPOCHS", help="of the LeViT on the other classes")
    options = parser.parse_args()
    whole = load_data("tfds:cifar10", data_dir=options.data_dir)
    with tempfile.TemporaryDirectory() as folder:
        fields, source = [f"epochs={EPOCHS}", "label_smoothing=0"], None
        if options.pretrain:
            source = pretrained(whole, options.pretrain, folder)
            fields = ["label_smoothing=0", "epochs=60", f"pretrained={source.folder.path}", "model=levit"]
        compare(whole, options, "vit_few_shot" if source else "cnn_cifar10", fields, source)


def compare(whole, options, recipe, fields, source):
    found = {name: [] for name in (*WAYS, BY_KERAS)}
    for seed in range(options.seeds):
        data = unequal(whole, options.rare, seed)
        for name, more in WAYS.items():
            changed = override(read_recipe(recipe), [*fields, f"seed={seed}", *more])
            with tempfile.TemporaryDirectory() as folder:
                run = train(changed, f"{folder}/run", data=data)
            found[name].append(run.metrics["macro"]["recall"])
            print(seed, name, found[name][-1], flush=True)
        found[BY_KERAS].append(by_keras(data, seed, source))
        print(seed, BY_KERAS, found[BY_KERAS][-1], flush=True)
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


def pretrained(whole, epochs, folder):
    """The run of a LeViT that learned the other classes."""
    parts = {}
    for name, split in whole.splits.items():
        rows = np.flatnonzero(~np.isin(split.labels, (CAT, DOG)))
        kept = [label for label in range(10) if label not in (CAT, DOG)]
        parts[name] = (split.images[rows], np.searchsorted(kept, split.labels[rows]))
    fields = [f"epochs={epochs}", "variant=Nano", "precision=mixed_bfloat16"]
    recipe = override(read_recipe("levit_cifar10"), fields)
    return train(recipe, f"{folder}/pretrained", data=load_data(parts))


def by_keras(data, seed, source):
    keras.utils.set_random_seed(seed)
    model = network() if source is None else keras.Sequential([keras.layers.Dense(2)])
    train, test = data.train, data.test
    x, x_test = np.asarray(train.images), np.asarray(test.images)
    if source is not None:
        backbone, _ = split_at_head(source.model)
        x, x_test = (features_of(backbone, split).arrays[0] for split in (train, test))
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    counts = np.bincount(train.labels)
    weights = dict(enumerate(counts.sum() / (2 * counts)))
    epochs = EPOCHS if source is None else 60
    model.fit(x, train.labels, batch_size=64, epochs=epochs, class_weight=weights, verbose=0)
    answers = model.predict(x_test, verbose=0).argmax(axis=1)
    return float(np.mean([np.mean(answers[test.labels == label] == label) for label in (0, 1)]))


def network():
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
    return model


if __name__ == "__main__":
    main()
