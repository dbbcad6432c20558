"""How far one of our models is from the original whose outputs are in a folder.

`benchmarks/workers/pretrained_originals.py` writes such folders: weights, and `expected.npz` with images,
logits, the output of every block and the gradient of `sum(logits * direction)` by the images; perhaps also
`photo_logits` of photographs that the original library prepared itself.
"""

from pathlib import Path

import keras
import numpy as np

from keras_vit import pretrained
from keras_vit.models.levit import SIZES as LEVITS
from keras_vit.models.levit import LeViTSize
from keras_vit.models.repvit import SIZES as REPVITS
from keras_vit.models.repvit import RepViTSize

# The narrow forms among the originals.
STEM = ((4, 2), (8, 2), (16, 2), (32, 2))
LEVITS["narrow original"] = LeViTSize(STEM, (32, 48), 8, (2, 3), (1, 2), "hard_swish", 64)
REPVITS["narrow original"] = RepViTSize((16, 32), (2, 1), (2, 2), 32)

TOLERANCE = 1e-5  # of the largest value; float32 has steps of 6e-8, and two blocks some hundred roundings


def errors(folder, source=None, **arguments):
    """Loads the weights of `folder` and returns the relative errors of logits, blocks and gradient."""
    expected = np.load(Path(folder) / "expected.npz")
    weights = Path(folder) / "weights.npz"
    model = pretrained.load(source or (weights if weights.is_file() else folder), **arguments)
    return errors_of(model, expected)


def errors_of(model, expected):
    count = sum(name.startswith("block_") for name in expected.files)
    outputs = pretrained.features(model, [*range(count), model.layers[-1].name]) if count else model
    images = expected["images"]
    *blocks, logits = [np.asarray(y) for y in keras.tree.flatten(outputs(images, training=False))]
    found = {"logits": relative_error(logits, expected["logits"])}
    if blocks:
        found["blocks"] = max(relative_error(y, expected[f"block_{i}"]) for i, y in enumerate(blocks))
    if keras.backend.backend() == "tensorflow":
        gradient = image_gradient(model, images, expected["direction"])
        found["gradient"] = relative_error(gradient, expected["gradient"])
    return found


def photograph_error(folder, photos):
    """Returns the relative error of the logits of decoded photographs, and whether all top-5 classes agree.

    None where the original was shown none.
    """
    expected = np.load(Path(folder) / "expected.npz")
    if "photo_logits" not in expected:
        return None
    model = pretrained.load(folder)
    images = np.stack([model.preprocessing(photo) for photo in photos])
    ours, theirs = np.asarray(model(images, training=False)), expected["photo_logits"]
    same = np.array_equal(*(np.argsort(-y, axis=1)[:, :5] for y in (ours, theirs)))
    return relative_error(ours, theirs), same


def relative_error(ours, theirs):
    assert ours.shape == theirs.shape, (ours.shape, theirs.shape)
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())


def image_gradient(model, images, direction):
    import tensorflow as tf

    images = tf.constant(images)
    with tf.GradientTape() as tape:
        tape.watch(images)
        value = tf.reduce_sum(model(images, training=False) * direction)
    return tape.gradient(value, images).numpy()
