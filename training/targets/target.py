"""The interface between images and what a model says about them."""

import abc
from collections.abc import Sequence
from typing import Any, ClassVar

import keras
import numpy as np

from keras_vit.errors import InputError
from keras_vit.training.data import ImageData
from keras_vit.training.data.label_kinds import encoded
from keras_vit.training.metrics import Metric
from keras_vit.training.own_parts import is_part, own_loss, own_metrics
from keras_vit.training.recipe import ImageRecipe


class Target(abc.ABC):
    """What the labels of images are: how a model learns them, how its outputs become answers and are scored.

    Attributes:
        recipe: ImageRecipe.
        data: ImageData, or None where they are not loaded yet.
        notes: list of lines on what was decided by the data or has no effect.
    """

    kind: ClassVar[str]  # of label_kinds.KINDS
    metrics: ClassVar[tuple[Metric, ...]]  # of the test split, that are shown
    curve: ClassVar[str]  # the metric that is logged next to the loss, and drawn
    curve_is_better: ClassVar[str] = "max"
    task: ClassVar[str]  # of keras_vit.export.tasks
    activation: ClassVar[str | None]  # that makes answers of the model's outputs
    words: ClassVar[str]  # what messages call such labels
    unused: ClassVar[
        tuple[str, ...]
    ] = ()  # fields of recipes that such labels have no use for, with 0 as off

    def __init__(self, recipe: ImageRecipe, data: ImageData | None = None):
        self.recipe, self.data, self.notes = recipe, data, []

    def check_recipe(self) -> None:
        """Raises InputError for a field without use, which runs of earlier versions may have."""
        for name in self.unused:
            if getattr(self.recipe, name) not in (0, getattr(ImageRecipe, name)):
                raise InputError(
                    f"{name} is for one class an image, and the data have {self.words}. Leave it out."
                )

    @property
    @abc.abstractmethod
    def monitor(self) -> tuple[str, str]:
        """The validation metric that chooses the best epoch, without `val_`, and `"min"` or `"max"`."""

    @abc.abstractmethod
    def loss(self) -> keras.losses.Loss:
        """Returns the loss of a recipe without one of the user's own."""

    @abc.abstractmethod
    def logged_metrics(self) -> list[keras.metrics.Metric]:
        """Returns the metrics of each epoch; one has the name `curve`."""

    @abc.abstractmethod
    def answers(self, outputs: np.ndarray, fitted: dict[str, Any] | None = None) -> np.ndarray:
        """Returns what the outputs of a model say, `(n, num_names)`, such as probabilities.

        `fitted` is what `fit` returned; without it they are the model's own.
        """

    @abc.abstractmethod
    def evaluate(
        self, outputs: np.ndarray, labels: np.ndarray, names: Sequence[str], fitted: dict[str, Any]
    ) -> dict[str, Any]:
        """Compares the outputs of a model with labels; returns a dict for JSON.

        `fitted` is what `fit` returned for other images. The metrics are those of the model's own answers;
        those of calibrated answers are under `"calibrated"`.
        """

    @abc.abstractmethod
    def place(self, metrics: dict, advice: str) -> list[str]:
        """Returns lines that put metrics in their place: between chance and certainty."""

    def fit(self, outputs: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
        """Returns what is fitted to a model's outputs for the validation images, as values of JSON."""
        return {}

    def finished(self, model: keras.Model) -> keras.Model:
        """Returns a model with `num_names` outputs as it is trained."""
        return model

    def weights(self) -> np.ndarray | None:
        """Returns the weight of an image of each class, `(num_names,)`, or None."""
        return None

    def labels_of_export(self, labels: np.ndarray) -> np.ndarray:
        """Returns labels as `keras_vit.export.export_model` takes them for `task`."""
        return labels

    def compile_options(self) -> dict[str, Any]:
        """Returns what `model.compile` gets for loss and metrics."""
        loss = own_loss(self.recipe) if is_part(self.recipe.loss) else self.loss()
        return {"loss": loss, "metrics": [*self.logged_metrics(), *own_metrics(self.recipe)]}

    def logged(self) -> dict[str, str]:
        """Returns the metrics of each epoch with `"min"` or `"max"`, what is better."""
        name, better = self.monitor
        return {"loss": "min", self.curve: self.curve_is_better, name: better}

    def encoded(self, labels: np.ndarray) -> np.ndarray:
        """Returns labels as rows of numbers, float32 `(n, num_names)`."""
        return encoded(labels, len(self.data.label_names))
