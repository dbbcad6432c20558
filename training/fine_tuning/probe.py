"""A model split into a backbone, whose features are computed once, and the head that is trained on them."""

import dataclasses

import keras
import numpy as np
from sklearn.neighbors import KNeighborsClassifier

from keras_vit.io.progress import tracked
from keras_vit.pretrained.graph_source import ending
from keras_vit.training.data.dataset import ImageData, Split
from keras_vit.training.data.label_kinds import encoded
from keras_vit.training.data.order import Sampling, steps_per_epoch
from keras_vit.training.data.streams import labels_to_learn

BATCH = 32  # images whose features are computed at once
NEIGHBOURS, TEMPERATURE = 20, 0.07  # of their vote


@dataclasses.dataclass(frozen=True, eq=False)
class Features:
    """The inputs of a model's heads for the images of a split."""

    arrays: tuple[np.ndarray, ...]  # float (num_images, dim), one for each head
    labels: np.ndarray  # as those of the split
    weights: np.ndarray | None = None  # as those of the split

    def __len__(self):
        return len(self.labels)

    def rows(self, rows, num_classes):
        """Returns features, a tuple, and encoded labels of some images."""
        return self._inputs(rows), encoded(self.labels[rows], num_classes)

    def rows_to_learn(self, rows, num_classes):
        """Returns features, a tuple, and labels as `streams.labels_to_learn`."""
        return self._inputs(rows), labels_to_learn(self, rows, num_classes)

    def _inputs(self, rows):
        return tuple(array[rows] for array in self.arrays)


@dataclasses.dataclass(frozen=True, eq=False)
class FeatureData(ImageData):
    """Images with the features of the splits `"train"` and `"validation"`."""

    features: dict[str, Features] = dataclasses.field(kw_only=True)

    @classmethod
    def compute(cls, data, backbone):
        """Computes the features of ImageData by a model."""
        features = {name: features_of(backbone, getattr(data, name)) for name in ("train", "validation")}
        fields = (field.name for field in dataclasses.fields(ImageData))
        return cls(**{name: getattr(data, name) for name in fields}, features=features)


def split_at_head(model):
    """Returns `(backbone, head)`, two models that share their layers with the whole one."""
    between = [head.input for head in ending(model).heads]
    return keras.Model(model.inputs, between), keras.Model(between, model.outputs[0], name=model.name)


def features_of(backbone: keras.Model, split: Split) -> Features:
    """Computes the features of a Split, with a progress bar on a terminal."""
    parts = [
        _features_of_batch(backbone, split.images[first : first + BATCH])
        for first in tracked(range(0, len(split), BATCH), "features")
    ]
    return Features(
        tuple(np.concatenate(arrays) for arrays in zip(*parts, strict=True)), split.labels, split.weights
    )


def _features_of_batch(backbone, images):
    """Pads batches to one size, so that the backbone is compiled once."""
    filled = np.concatenate([images, np.zeros((BATCH - len(images), *images.shape[1:]), images.dtype)])
    return [array[: len(images)] for array in keras.tree.flatten(backbone.predict_on_batch(filled))]


class TrainingBatches:
    """Shuffled batches of features, for `keras_vit.training.data.streams.batch_stream`."""

    def __init__(
        self, features: Features, num_classes: int, batch_size: int, seed: int, sampling: Sampling | None
    ):
        self.features, self.sampling = features, sampling or Sampling(len(features))
        self.num_classes, self.batch_size, self.seed = num_classes, batch_size, seed
        self.steps = steps_per_epoch(len(features), batch_size)

    def batch(self, epoch, step):
        """Returns features and encoded labels of a batch."""
        rows = self.sampling.order(self.seed, epoch, self.batch_size)[step]
        return self.features.rows_to_learn(rows, self.num_classes)


def nearest_neighbours_accuracy(train: Features, test: Features) -> float:
    """Returns the accuracy of a vote of the most similar training images, weighted by their similarity.

    It measures features without training.

    Reference: Wu et al. 2018, section 3.4, https://arxiv.org/abs/1805.01978, with the constants of
        Caron et al. 2021, https://arxiv.org/abs/2104.14294
    """
    classifier = KNeighborsClassifier(
        min(NEIGHBOURS, len(train)),
        weights=lambda distances: np.exp((1 - distances) / TEMPERATURE),
        metric="cosine",
    )
    return float(classifier.fit(_vectors(train), train.labels).score(_vectors(test), test.labels))


def _vectors(features):
    return np.concatenate(features.arrays, axis=1).astype("float32")
