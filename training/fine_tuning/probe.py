"""A model split into a backbone, whose features are computed once, and the head that is trained on them."""

import dataclasses

import keras
import numpy as np
from rich.console import Console
from rich.progress import track

from keras_vit.training.data.dataset import ImageData
from keras_vit.training.data.order import epoch_order, steps_per_epoch
from keras_vit.training.data.streams import EvaluationBatches, one_hot

HEADS = ("head", "distillation_head")
BATCH = 32  # images whose features are computed at once


@dataclasses.dataclass(frozen=True, eq=False)
class Features:
    """The inputs of a model's heads for the images of a split.

    Attributes:
        arrays: tuple of float `(num_images, dim)`, one for each head.
        labels: int32 `(num_images,)`.
    """

    arrays: tuple
    labels: np.ndarray

    def __len__(self):
        return len(self.labels)


@dataclasses.dataclass(frozen=True, eq=False)
class FeatureData(ImageData):
    """Images with the features of the splits that a head is trained and validated on.

    Attributes:
        features: dict of Features by `"train"` and `"validation"`.
    """

    features: dict = dataclasses.field(kw_only=True)

    @classmethod
    def compute(cls, data, backbone):
        """Computes the features of ImageData by a model."""
        features = {name: features_of(backbone, getattr(data, name)) for name in ("train", "validation")}
        fields = (field.name for field in dataclasses.fields(ImageData))
        return cls(**{name: getattr(data, name) for name in fields}, features=features)


def split_at_head(model):
    """Returns `(backbone, head)`, two models that share their layers with the whole one."""
    heads = [layer for layer in model.layers if layer.name in HEADS]
    between = [layer.input for layer in heads]
    return keras.Model(model.inputs, between), keras.Model(between, model.outputs[0], name=model.name)


def features_of(backbone, split):
    """Computes the features of a Split, with a progress bar on a terminal.

    Returns:
        Features.
    """
    console = Console(stderr=True)
    starts = range(0, len(split), BATCH)
    quiet = len(starts) < 2 or not console.is_terminal
    parts = [
        _features_of_batch(backbone, split.images[first : first + BATCH])
        for first in track(starts, "features", console=console, transient=True, disable=quiet)
    ]
    return Features(tuple(np.concatenate(arrays) for arrays in zip(*parts, strict=True)), split.labels)


def _features_of_batch(backbone, images):
    """Pads batches to one size, so that the backbone is compiled once."""
    filled = np.concatenate([images, np.zeros((BATCH - len(images), *images.shape[1:]), images.dtype)])
    return [array[: len(images)] for array in keras.tree.flatten(backbone.predict_on_batch(filled))]


class TrainingBatches:
    """Shuffled batches of features, for `keras_vit.training.data.streams.batch_stream`.

    Args:
        features: Features.
        num_classes, batch_size, seed: ints.

    Raises:
        InputError: fewer images than a batch, or a batch size below 1.
    """

    def __init__(self, features, num_classes, batch_size, seed):
        self.features = features
        self.num_classes, self.batch_size, self.seed = num_classes, batch_size, seed
        self.steps = steps_per_epoch(len(features), batch_size)

    def batch(self, epoch, step):
        """Returns features, a tuple, and one-hot labels."""
        rows = epoch_order(self.seed, epoch, len(self.features), self.batch_size)[step]
        return tuple(a[rows] for a in self.features.arrays), one_hot(
            self.features.labels[rows], self.num_classes
        )


def evaluation_batches(features, num_classes, batch_size):
    """Returns all features and one-hot labels in order, a `keras.utils.PyDataset`."""

    def read(rows):
        arrays = tuple(array[rows] for array in features.arrays)
        return arrays, one_hot(features.labels[rows], num_classes)

    return EvaluationBatches(len(features), batch_size, read)
