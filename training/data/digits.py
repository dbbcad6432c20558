"""scikit-learn's 1,797 handwritten digits, which need no network."""

import numpy as np

from keras_vit.training.data.dataset import Split


def read_digits():
    """Reads the embedded digits.

    Returns:
        A pair: `{"train": Split}` with 1,797 uint8 images `(8, 8, 1)`, the 17 grey levels of the source
        spread over [0, 255]; and the names `("0", ..., "9")`.

    Reference: Kaynak (1995), https://archive.ics.uci.edu/dataset/80 (its test part).
    """
    from sklearn.datasets import load_digits

    source = load_digits()
    images = np.round(source.images * (255 / 16)).astype(np.uint8)[..., np.newaxis]
    labels = source.target.astype(np.int32)
    return {"train": Split(images, labels)}, tuple(str(name) for name in source.target_names)
