"""Measures what the geometry costs when the subject is in the middle of a wide or tall frame.

    python benchmarks/frames.py [--data-dir DIR] [--seeds 3]

Images of CIFAR-10 (32 x 32 pixels) lie in the middle of larger frames, 36 pixels on the short side, cut out
of photographs that come with scikit-learn. A small convolutional network for 24 pixels is trained on 3,000
square frames and evaluated on 4,000; then on 4:3, 16:9 and 9:16 frames by each geometry. The frames of all
shapes show the same pixels where they overlap: where a geometry makes the images of squares of them, which is
checked pixel for pixel, nothing is trained again. Prints the mean accuracy over the seeds, and the difference
to squares with its standard error. Takes 10 minutes of one core.
"""

import argparse
import os
import tempfile

import numpy as np

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

OBJECT, LONG, MODEL = 32, 64, 24  # pixels: sides of the subject, of the largest frame, of the model's images
SHAPES = {"1:1": (36, 36), "4:3": (36, 48), "16:9": (36, 64), "9:16": (64, 36)}  # height and width
GEOMETRIES = ("center_crop", "letterbox", "stretch")
IMAGES = {"train": 3000, "validation": 400, "test": 4000}
EPOCHS = 8


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data-dir", help="where TensorFlow Datasets keeps CIFAR-10")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    canvases = in_photographs(options.data_dir)
    squares = prepared(canvases, "1:1", "center_crop")
    others = [(shape, geometry) for shape in list(SHAPES)[1:] for geometry in GEOMETRIES]
    data = {case: prepared(canvases, *case) for case in others}
    same = {case for case in others if equal(data[case], squares)}
    print("the images of squares:", *(f"{shape} by {geometry}" for shape, geometry in sorted(same)), sep="  ")
    reference, found = [], {case: [] for case in others}
    for seed in range(options.seeds):
        reference.append(accuracy(squares, seed))
        for case in others:
            found[case].append(reference[-1] if case in same else accuracy(data[case], seed))
            print(f"seed {seed}: {case[0]} by {case[1]} {found[case][-1]:.4f}", flush=True)
    print(table(np.array(reference), {case: np.array(values) for case, values in found.items()}))


def in_photographs(data_dir):
    """CIFAR-10 in the middle of pieces of photographs: for each split `(n, LONG, LONG, 3)`, and labels."""
    from sklearn.datasets import load_sample_images

    from keras_vit.training import load_data

    data = load_data("tfds:cifar10", data_dir=data_dir, subset=IMAGES["train"])
    photographs, rng = [halved(photo) for photo in load_sample_images().images], np.random.default_rng(0)
    splits = {}
    for name, split in data.splits.items():
        rows = np.arange(IMAGES[name])
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
    """The ImageData of frames of a shape, made as large as the model's images by a geometry."""
    from keras_vit.training import load_data

    (height, width), splits = SHAPES[shape], {}
    top, left = (LONG - height) // 2, (LONG - width) // 2
    for name, (images, labels) in canvases.items():
        splits[name] = images[:, top : top + height, left : left + width], labels
    return load_data(splits, image_size=MODEL, geometry=geometry)


def equal(data, other):
    """Whether two ImageData have the same images."""
    return all(np.array_equal(data.splits[name].images, other.splits[name].images) for name in data.splits)


def accuracy(data, seed):
    """The accuracy on the test split of a network that is trained on the training split."""
    import keras

    from keras_vit.training import ImageRecipe
    from keras_vit.training.fit import fit

    recipe = ImageRecipe(
        model="cnn", hidden_dim=64, batch_norm=True, image_size=MODEL, seed=seed, epochs=EPOCHS,
        batch_size=64, learning_rate=2e-3, flip=True, crop_padding=2,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        model = fit(recipe, folder, data=data)
    logits = model.predict(data.test.images, batch_size=256, verbose=0)
    keras.utils.clear_session()
    return float((logits.argmax(1) == data.test.labels).mean())


def table(squares, found):
    """A table in Markdown: accuracies, and differences to squares with their standard errors, in points."""
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
