"""`digits`: scikit-learn's 1,797 handwritten digits, without download."""

import numpy as np

from keras_vit.training.data.dataset import Loaded, Split

ARGUMENT = None


def load(argument, options):
    """Loads the embedded digits: 8 x 8 pixels, whose 17 grey levels are scaled to [0, 255].

    Reference: Kaynak (1995), https://archive.ics.uci.edu/dataset/80 (its test part).
    """
    from sklearn.datasets import load_digits

    source = load_digits()
    images = np.round(source.images * (255 / 16)).astype(np.uint8)[..., np.newaxis]
    labels = source.target.astype(np.int32)
    return Loaded({"train": Split(images, labels)}, tuple(str(name) for name in source.target_names))
