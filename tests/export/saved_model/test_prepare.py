"""The graph of a SavedModel resizes and crops as `Preprocessing` does."""

import numpy as np
import pytest
import tensorflow as tf

from keras_vit.export.saved_model.prepare import prepared
from keras_vit.io.preprocessing import GEOMETRIES, Preprocessing

IMAGENET = (0.485, 0.456, 0.406)
CASES = {
    **{name: Preprocessing.of(name, (24, 32)) for name in GEOMETRIES},
    "square": Preprocessing.of("center_crop", 24),
    "a part, bicubic": Preprocessing((24, 24), 0.875),
    "a part of a rectangle": Preprocessing((24, 40), 0.95),
    "corner of transformers": Preprocessing((24, 24), 0.9, "shortest_edge", "lanczos"),
    "a stretched part": Preprocessing((24, 32), 0.9, "squash", "bilinear"),
    "on the mean": Preprocessing((24, 32), 1.0, "border", "bilinear", mean=IMAGENET),
    "nearest": Preprocessing((24, 24), 0.9, interpolation="nearest"),
    "enlarged": Preprocessing((96, 96), 1.2),
    "not rounded": Preprocessing((24, 24), interpolation="bilinear", rounded=False),
}
SHAPES = ((90, 130), (131, 67), (24, 24), (7, 5), (3, 900), (700, 2), (1, 1))


def photograph(height, width):
    """Smooth, with a little noise."""
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    smooth = np.stack([255 * y, 255 * x, 200 * x * (1 - y)], axis=-1)
    noise = np.random.default_rng(0).integers(-20, 20, smooth.shape)
    return np.clip(smooth + noise, 0, 255).astype("uint8")


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
@pytest.mark.parametrize("channels", [1, 3])
def test_a_graph_prepares_images_of_any_shape_as_python_does(case, channels):
    for shape in SHAPES:
        image = photograph(*shape)[..., :channels]
        found = np.clip(np.round(prepared(tf.constant(image, tf.float32), case).numpy()), 0, 255)
        difference = np.abs(found - np.rint(case(image)))
        # Simple ratios of sizes make many exact halves, which float32 rounds either way.
        assert difference.max() <= 1 and difference.mean() < 0.25, shape
