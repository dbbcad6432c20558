"""Measures what the geometry costs when the subject is in the middle of a wide or tall frame.

    python benchmarks/frames.py [--data-dir DIR] [--seeds 3]

Images of CIFAR-10 (32 x 32 pixels) lie in the middle of larger frames, 36 pixels on the short side, cut out
of photographs that come with scikit-learn. A small convolutional network for 18 pixels is trained on 3,000
square frames and evaluated on 4,000; then on 4:3, 16:9 and 9:16 frames by each geometry. The frames of all
shapes show the same pixels where they overlap, and all trainings of a seed begin with the same weights.
Prints the mean difference to squares over the seeds in points of accuracy, with its standard error. Takes 10
minutes of one core.
"""

import argparse
import os

import numpy as np

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

OBJECT, LONG, MODEL = 32, 64, 18  # pixels: sides of the subject, of the largest frame, of the model's images
SHAPES = {"1:1": (36, 36), "4:3": (36, 48), "16:9": (36, 64), "9:16": (64, 36)}  # height and width
GEOMETRIES = ("center_crop", "letterbox", "stretch")
IMAGES = {"train": 3000, "test": 4000}
EPOCHS, BATCH = 5, 64


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data-dir", help="where TensorFlow Datasets keeps CIFAR-10")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    canvases = in_photographs(options.data_dir)
    cases = [("1:1", "center_crop"), *((shape, g) for shape in list(SHAPES)[1:] for g in GEOMETRIES)]
    data = {case: prepared(canvases, *case) for case in cases}
    found = {case: [] for case in cases}
    model = network()
    for seed in range(options.seeds):
        for case in cases:
            found[case].append(accuracy(model, data[case], seed))
            print(f"seed {seed}: {case[0]} by {case[1]} {found[case][-1]:.4f}", flush=True)
    print(table({case: np.array(values) for case, values in found.items()}))


def in_photographs(data_dir):
    """CIFAR-10 in the middle of pieces of photographs: for each split `(n, LONG, LONG, 3)`, and labels."""
    from sklearn.datasets import load_sample_images

    from keras_vit.training import load_data

    data = load_data("tfds:cifar10", data_dir=data_dir, subset=IMAGES["train"])
    photographs, rng = [halved(photo) for photo in load_sample_images().images], np.random.default_rng(0)
    splits = {}
    for name, count in IMAGES.items():
        split, rows = data.splits[name], np.arange(count)
        canvas = np.stack([piece(photographs[row % len(photographs)], rng) for row in rows])
        start = (LONG - OBJECT) // 2
        canvas[:, start : start + OBJECT, start : start + OBJECT] = split.images[rows]
        splits[name] = (canvas, split.labels[rows])
    return splits


def halved(photograph):
    """A photograph of half the sides, each pixel the mean of four."""
    height, width = (side // 2 for side in photograph.shape[:2])
    fours = photograph[: 2 * height, : 2 * width].reshape(height, 2, width, 2, 3)
    return np.rint(fours.mean((1, 3))).astype("uint8")


def piece(photograph, rng):
    """A random piece of a photograph."""
    top, left = (rng.integers(0, side - LONG + 1) for side in photograph.shape[:2])
    return photograph[top : top + LONG, left : left + LONG]


def prepared(canvases, shape, geometry):
    """Frames of a shape, made as large as the model's images by a geometry: images and labels by split."""
    from keras_vit.pretrained import Preprocessing

    (height, width), prepare = SHAPES[shape], Preprocessing.of(geometry, MODEL)
    top, left = (LONG - height) // 2, (LONG - width) // 2
    splits = {}
    for name, (images, labels) in canvases.items():
        frames = images[:, top : top + height, left : left + width]
        splits[name] = np.stack([prepare(frame) for frame in frames]), labels
    return splits


def network():
    import keras

    from keras_vit.models import cnn

    model = cnn(image_size=MODEL, hidden_dim=64, batch_norm=True)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    rate = keras.optimizers.schedules.CosineDecay(3e-3, EPOCHS * IMAGES["train"] // BATCH)
    model.compile(keras.optimizers.Adam(rate), loss, steps_per_execution=23)
    model.optimizer.build(model.trainable_variables)
    return model


def accuracy(model, splits, seed):
    """Trains a network from the weights that a seed gives; returns the accuracy on the test split."""
    import keras

    from keras_vit.models import cnn

    model.set_weights(cnn(image_size=MODEL, hidden_dim=64, batch_norm=True, seed=seed).get_weights())
    for variable in model.optimizer.variables:  # the number of steps, and moments
        variable.assign(keras.ops.zeros_like(variable))
    keras.utils.set_random_seed(seed)
    images, labels = splits["train"]
    model.fit(images, labels, batch_size=BATCH, epochs=EPOCHS, verbose=0)
    images, labels = splits["test"]
    return float((model.predict(images, batch_size=500, verbose=0).argmax(1) == labels).mean())


def table(found):
    """A table in Markdown: differences to squares with their standard errors, in points."""
    squares = found["1:1", "center_crop"]
    lines = [f"squares: {100 * squares.mean():.1f} %", f"| frames | {' | '.join(GEOMETRIES)} |"]
    lines.append("| --- |" + " --- |" * len(GEOMETRIES))
    for shape in list(SHAPES)[1:]:
        cells = []
        for geometry in GEOMETRIES:
            change = 100 * (found[shape, geometry] - squares)
            error = change.std(ddof=1) / len(change) ** 0.5
            cells.append(f"{change.mean():+.1f} ± {error:.1f}")
        lines.append(f"| {shape} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
